// SPDX-License-Identifier: Apache-2.0
// castgate replay: captures in, captures out, in the captures' own time.
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <numeric>
#include <optional>

#include "dataplane/base/capture/capture_reader.h"
#include "dataplane/capture/replay_tap.h"
#include "dataplane/capture/trace_tap.h"
#include "dataplane/contract/runtime.h"
#include "dataplane/pipeline.h"
#include "dataplane/replay_clients.h"
#include "dataplane/replay_workers.h"
#include "drivers/crypto_device.h"
#include "drivers/eal.h"
#include "drivers/packet_pool.h"
#include "drivers/replay_port.h"

namespace castgate {
namespace {

constexpr unsigned kSparePackets = 4095;  // beyond what the windows may hold
constexpr unsigned kMostPackets = (1u << 18) - 1;
constexpr std::uint64_t kProgressEvery = 1u << 16;

// There is no other worker and no host stack to hand a packet to.
class NoExits final : public ClassifyExits {
 public:
  bool hand_over(rte_mbuf*, unsigned) noexcept override { return false; }
  bool punt(rte_mbuf*, unsigned, HostKind, Instant) noexcept override { return false; }
};

class EventList final : public EventSink {
 public:
  void report(const Event& event) noexcept override { events.push_back(event); }
  std::vector<Event> events;
};

// A capture on its way into a port, one frame ahead.
struct Source {
  unsigned port;
  CaptureReader reader;
  CapturedFrame frame;
  Instant time{INT64_MIN};  // of `frame`; kNever at the end
};

unsigned packets_for(const Spec& spec) {
  const auto held = std::accumulate(
      spec.streams.begin(), spec.streams.end(), std::uint64_t{0},
      [](std::uint64_t sum, const StreamSpec& s) { return sum + window_positions(s) / 2; });
  return static_cast<unsigned>(
      std::min<std::uint64_t>(held + std::uint64_t{2} * kSparePackets, kMostPackets));
}

class Replay {
 public:
  Replay(const Spec& spec, const ReplayPlan& plan) : spec_(spec), plan_(plan) {}

  Result<ReplayResult> run();

 private:
  Result<void> open();
  Result<void> open_ports(rte_mempool* pool);
  void serve() { workers_->serve(now_); }
  void carry_out(const Command& command);
  void trace_one();
  Result<void> advance(Source& source);
  Source* earliest();
  void run_deadlines_before(Instant moment);
  void run_until(Instant moment);
  void deliver(const Source& source);
  Result<ReplayResult> finish();

  const Spec& spec_;
  const ReplayPlan& plan_;
  Instant now_;
  std::optional<PacketPool> pool_;
  std::unique_ptr<CryptoDevice> crypto_;
  std::vector<std::unique_ptr<ReplayPort>> ports_;
  std::vector<Port*> port_pointers_;
  PortCaps caps_{spec_};
  std::vector<Source> sources_;
  NoExits exits_;
  EventList events_;
  std::optional<ReplayTap> tap_;
  std::optional<TraceTap> trace_;
  std::optional<FlowTable> flows_;
  std::unique_ptr<ReplayWorkers> workers_;
  ReplayResult result_;
  std::optional<PacketPool> heads_;
  std::unique_ptr<ReplayClients> clients_;
  Instant first_;
  std::size_t next_command_ = 0;
};

Result<void> Replay::open() {
  // Captures first: a wrong path should not cost the start of DPDK's environment.
  for (const ReplayFile& file : plan_.in) {
    auto reader = CaptureReader::open(file.path);
    if (!reader) return std::unexpected(reader.error());
    sources_.push_back({file.port, std::move(*reader), {}});
  }
  std::ranges::stable_sort(sources_, {}, &Source::port);
  const PacketPoolOptions pool{"replay", packets_for(spec_), spec_.appliance.max_frame, 0};
  EalOptions eal;
  eal.memory_bytes = PacketPool::footprint(pool) + (64ull << 20);
  // A card that may be elsewhere; what it makes of packets the workers make as well.
  const std::string& crypto = spec_.appliance.crypto_device;
  const bool has_crypto = !crypto.empty() && CryptoDevice::is_software(crypto);
  if (has_crypto) eal.memory_bytes += CryptoDevice::footprint(1);
  if (auto started = start_eal(eal); !started) return started;
  auto made = PacketPool::make(pool);
  if (!made) return std::unexpected(made.error());
  pool_.emplace(std::move(*made));
  if (has_crypto) {
    auto opened = CryptoDevice::open(crypto, 1);
    if (!opened) return std::unexpected(opened.error());
    crypto_ = std::move(*opened);
  }
  if (auto opened = open_ports(pool_->get()); !opened) return opened;
  clients_ = std::make_unique<ReplayClients>(spec_, port_pointers_, plan_.clients);
  if (!plan_.clients.empty()) {
    auto heads = PacketPool::make(
        {.name = "heads", .packets = kSparePackets, .cache = 0, .heads_only = true});
    if (!heads) return std::unexpected(heads.error());
    heads_.emplace(std::move(*heads));
  }
  flows_.emplace(spec_, std::vector<std::uint8_t>(spec_.streams.size(), 0));
  auto workers =
      ReplayWorkers::make(PipelineParts{.spec = spec_,
                                        .flows = *flows_,
                                        .worker = 0,
                                        .mine = std::vector<bool>(spec_.streams.size(), true),
                                        .ports = port_pointers_,
                                        .tx_queues = std::vector<unsigned>(ports_.size(), 0),
                                        .caps = caps_.all(),
                                        .pool = pool_->get(),
                                        .heads = heads_ ? heads_->get() : nullptr,
                                        .clients = &clients_->roster(),
                                        .held_limit = pool.packets - kSparePackets,
                                        .exits = &exits_,
                                        .events = &events_,
                                        .crypto = crypto_ ? &crypto_->queue(0) : nullptr});
  if (!workers) return std::unexpected(workers.error());
  workers_ = std::move(*workers);
  if (plan_.captured) workers_->show_to(&tap_.emplace(spec_, plan_));
  if (plan_.trace) trace_one();
  for (Source& source : sources_) {
    if (auto first = advance(source); !first) return first;
  }
  return {};
}

Result<void> Replay::open_ports(rte_mempool* pool) {
  for (unsigned p = 0; p < spec_.ports.size(); ++p) {
    ports_.push_back(std::make_unique<ReplayPort>(spec_.ports[p], p, pool, now_));
    port_pointers_.push_back(ports_.back().get());
  }
  for (const ReplayFile& file : plan_.out) {
    if (auto opened = ports_[file.port]->record_to(file.path); !opened) return opened;
  }
  return {};
}

void Replay::carry_out(const Command& command) {
  workers_->command(command, now_);
  serve();
}

void Replay::trace_one() {
  const auto locate = [this](const rte_mbuf* packet, Located& where) {
    return workers_->first().locate(packet, where);
  };
  const auto flush = [this] { serve(); };
  trace_.emplace(spec_, plan_.trace.value_or(TraceRequest{}), events_.events,
                 TraceTap::Ways{locate, flush});
  workers_->show_to(&*trace_);
}

Result<void> Replay::advance(Source& source) {
  auto next = source.reader.next();
  if (!next) return std::unexpected(next.error());
  const std::optional<CapturedFrame>& frame = *next;
  if (!frame) {
    source.time = kNever;
    return {};
  }
  source.frame = *frame;
  if (source.frame.time < source.time) ++result_.clamped_timestamps;
  source.time = std::max(source.time, source.frame.time);
  return {};
}

Source* Replay::earliest() {
  const auto best = std::ranges::min_element(sources_, {}, &Source::time);
  return best == sources_.end() || best->time == kNever ? nullptr : &*best;
}

void Replay::run_deadlines_before(Instant moment) {
  while (workers_->first().next_deadline() < moment) {
    now_ = workers_->first().next_deadline();
    if (trace_) trace_->no_arrival(false);
    workers_->first().tick(now_);
    serve();
  }
}

// Everything before `moment` in its order; at one moment commands come first, then clients, then
// deadlines.
void Replay::run_until(Instant moment) {
  for (;;) {
    const bool commands_left = next_command_ < plan_.commands.size();
    const Instant command = commands_left ? first_ + plan_.commands[next_command_].after : kNever;
    const Instant client =
        clients_->next() == Nanoseconds::max() ? kNever : first_ + clients_->next();
    const Instant at = std::min(command, client);
    if (at > moment || at == kNever) break;
    run_deadlines_before(at);
    now_ = at;
    carry_out(command <= client ? plan_.commands[next_command_++].command : clients_->take());
  }
  run_deadlines_before(moment);
}

void Replay::deliver(const Source& source) {
  run_until(source.time);
  now_ = source.time;
  rte_mbuf* packet = ports_[source.port]->packet_of(source.frame.bytes);
  if (trace_) trace_->arrive(source.port, packet, now_);
  if (packet == nullptr) return;
  workers_->first().receive(source.port, {&packet, 1}, now_);
  serve();
}

Result<ReplayResult> Replay::run() {
  if (auto opened = open(); !opened) return std::unexpected(opened.error());
  while (Source* source = earliest()) {
    if (result_.packets_in == 0) first_ = source->time;
    deliver(*source);
    if (++result_.packets_in % kProgressEvery == 0 && plan_.progress) {
      plan_.progress(result_.packets_in);
    }
    if (auto next = advance(*source); !next) return std::unexpected(next.error());
  }
  while (workers_->held() != 0 && workers_->first().next_deadline() != kNever) {
    run_until({workers_->first().next_deadline().ns + 1});
  }
  return finish();
}

Result<ReplayResult> Replay::finish() {
  CG_CHECK(pool_.has_value());
  if (trace_) trace_->no_arrival(true);
  workers_->drain(now_);
  if (trace_) result_.trace = trace_->finish();
  Snapshot& snapshot = result_.snapshot;
  snapshot = empty_snapshot(spec_, port_pointers_);
  add_port_stats(port_pointers_, snapshot);
  workers_->fill(snapshot);
  for (const PortSnapshot& port : snapshot.ports) result_.packets_out += port.tx_packets;
  for (const auto& port : ports_) {
    if (auto closed = port->close(); !closed) return std::unexpected(closed.error());
  }
  result_.events = std::move(events_.events);
  result_.clients = clients_->counters();
  if (result_.packets_in != 0) result_.span = now_ - first_;
  const unsigned heads = heads_ ? heads_->in_use() : 0;
  if (pool_->in_use() + heads != snapshot.ledger.held) {
    return fail(fmt::format("replay: {} packets are unaccounted for; please report this",
                            pool_->in_use() + heads));
  }
  return std::move(result_);
}

}  // namespace

Result<ReplayResult> replay(const Spec& spec, const ReplayPlan& plan) {
  Result<ReplayResult> result = Replay(spec, plan).run();
  stop_eal();
  return result;
}

}  // namespace castgate
