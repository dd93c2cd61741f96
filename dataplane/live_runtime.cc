// SPDX-License-Identifier: Apache-2.0
#include "dataplane/live_runtime.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <random>

#include <rte_launch.h>
#include <rte_lcore.h>

#include "dataplane/ring_port.h"
#include "drivers/eal.h"
#include "drivers/ethdev_port.h"

namespace castgate {
namespace {

constexpr unsigned kRingSlots = 4096;
constexpr unsigned kHostRingSlots = 1024;
constexpr unsigned kControlPackets = 2047;
constexpr unsigned kHeads = 16383;  // in rings and caches: 6 MiB a worker
constexpr unsigned kDescriptors = 1024;
constexpr unsigned kFewestPackets = 8191;
constexpr unsigned kMostPackets = (1u << 19) - 1;
// AF_XDP keeps two thousand packets in its fill ring even when idle.
constexpr unsigned kPerPort = 2 * kDescriptors + 2048;

int run_worker(void* worker) {
  static_cast<Worker*>(worker)->run();
  return 0;
}

// Windows may fill up to their budget while rings and caches stay supplied.
std::uint64_t held_budget(const Spec& spec, const Placement& placed, unsigned worker) {
  std::uint64_t held = 0;
  for (std::size_t s = 0; s < spec.streams.size(); ++s) {
    if (placed.worker_of_stream[s] != worker) continue;
    const FailoverSpec& failover = spec.streams[s].failover;
    if (failover.release != Release::Arrival) held += window_positions(spec.streams[s]) / 2;
  }
  return held;
}

// Of packets for another worker's part of the clients. They are in that worker's buffers: from all
// others together no more than it keeps back from its windows. A stream's 64 wait there, not here.
unsigned fan_ring_slots(unsigned workers) {
  return std::bit_floor(std::clamp(kFewestPackets / 2 / workers, 64u, 512u));
}

std::uint64_t unforeseeable() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

std::vector<bool> mine(const Placement& placed, unsigned worker) {
  std::vector<bool> result;
  result.reserve(placed.worker_of_stream.size());
  for (const std::uint8_t w : placed.worker_of_stream) result.push_back(w == worker);
  return result;
}

}  // namespace

LiveRuntime::LiveRuntime(const Spec& spec)
    : spec_(spec),
      workers_(static_cast<unsigned>(spec.appliance.worker_cores.size())),
      placement_(place(spec, workers_)),
      flows_(std::make_unique<FlowTable>(spec, placement_.worker_of_stream)),
      fingerprint_seed_(unforeseeable()) {}

Result<std::unique_ptr<Runtime>> LiveRuntime::start(const Spec& spec) {
  std::unique_ptr<LiveRuntime> made(new LiveRuntime(spec));
  if (auto pools = made->make_pools(); !pools) return std::unexpected(pools.error());
  if (auto ports = made->open_ports(); !ports) return std::unexpected(ports.error());
  if (auto crypto = made->open_crypto(); !crypto) return std::unexpected(crypto.error());
  if (auto rings = made->make_rings(); !rings) return std::unexpected(rings.error());
  made->make_workers();
  made->launch();
  return made;
}

LiveRuntime::~LiveRuntime() {
  drain();
  for (unsigned w = 0; started_ && w < workers_; ++w) {
    if (rte_eal_get_lcore_state(worker_lcore(w)) != RUNNING) continue;
    std::fprintf(stderr, "worker %u did not stop; leaving without it\n", w);
    std::_Exit(EXIT_FAILURE);
  }
  running_.clear();
  crypto_.reset();
  ring_ports_.clear();
  ports_.clear();
  rings_.clear();
  head_pools_.clear();
  pools_.clear();
  stop_eal();
}

Result<void> LiveRuntime::make_pools() {
  EalOptions eal;
  eal.mode = EalOptions::Mode::Live;
  eal.worker_cores = spec_.appliance.worker_cores;
  eal.control_core = spec_.appliance.control_core;
  eal.hugepages_bytes = spec_.appliance.hugepages_bytes;
  for (const PortSpec& port : spec_.ports) eal.devices.push_back(port.device);
  if (!spec_.appliance.crypto_device.empty()) eal.devices.push_back(spec_.appliance.crypto_device);
  std::vector<PacketPoolOptions> wanted;
  for (unsigned w = 0; w < workers_; ++w) {
    const std::uint64_t packets =
        held_budget(spec_, placement_, w) + kFewestPackets + kPerPort * spec_.ports.size();
    wanted.push_back({fmt::format("worker{}", w),
                      static_cast<unsigned>(std::min<std::uint64_t>(packets, kMostPackets)),
                      spec_.appliance.max_frame});
  }
  wanted.push_back({"control", kControlPackets, spec_.appliance.max_frame});
  for (unsigned w = 0; w < workers_; ++w) {
    wanted.push_back({.name = fmt::format("heads{}", w), .packets = kHeads, .heads_only = true});
  }
  std::uint64_t bytes = 128ull << 20;
  for (const PacketPoolOptions& pool : wanted) bytes += PacketPool::footprint(pool);
  for (unsigned p = 0; p < spec_.ports.size(); ++p) {
    bytes +=
        EthdevPort::footprint(spec_.ports[p].device, wanted[placement_.owner_of_port[p]].packets,
                              spec_.appliance.max_frame);
  }
  if (!spec_.appliance.crypto_device.empty()) bytes += CryptoDevice::footprint(workers_);
  eal.memory_bytes = bytes;
  if (auto started = start_eal(eal); !started) return started;
  for (const PacketPoolOptions& options : wanted) {
    auto pool = PacketPool::make(options);
    if (!pool) return std::unexpected(pool.error());
    (options.heads_only ? head_pools_ : pools_).push_back(std::move(*pool));
  }
  return {};
}

Result<PacketRing*> LiveRuntime::ring(const std::string& name, unsigned slots) {
  auto made = PacketRing::make(name, slots);
  if (!made) return std::unexpected(made.error());
  return &rings_.emplace_back(std::move(*made));
}

Result<void> LiveRuntime::make_rings() {
  between_.assign(workers_, std::vector<PacketRing*>(workers_, nullptr));
  fan_ = between_;
  sends_.resize(workers_);
  ring_ports_.resize(workers_);
  for (unsigned from = 0; from < workers_; ++from) {
    auto inject = ring(fmt::format("inject{}", from), kHostRingSlots);
    auto punted = ring(fmt::format("punt{}", from), kHostRingSlots);
    if (!inject) return std::unexpected(inject.error());
    if (!punted) return std::unexpected(punted.error());
    inject_.push_back(*inject);
    punted_.push_back(*punted);
    for (unsigned to = 0; to < workers_; ++to) {
      if (to == from) continue;
      auto made = ring(fmt::format("over{}_{}", from, to), kRingSlots);
      if (!made) return std::unexpected(made.error());
      between_[from][to] = *made;
      between_workers_.push_back(*made);
      auto fan = ring(fmt::format("fan{}_{}", from, to), fan_ring_slots(workers_));
      if (!fan) return std::unexpected(fan.error());
      fan_[from][to] = *fan;
      between_workers_.push_back(*fan);
    }
    for (unsigned p = 0; p < ports_.size(); ++p) {
      ring_ports_[from].emplace_back();
      const unsigned owner = placement_.owner_of_port[p];
      if (ports_[p]->facts().tx_queues >= workers_ || owner == from) continue;
      auto made = ring(fmt::format("tx{}_{}", from, p), kRingSlots);
      if (!made) return std::unexpected(made.error());
      ring_ports_[from].back() = std::make_unique<RingPort>(*ports_[p], **made);
      sends_[owner].push_back({p, *made});
      between_workers_.push_back(*made);
    }
  }
  return {};
}

WorkerParts LiveRuntime::parts_of(unsigned worker) {
  std::vector<Port*> ports;
  std::vector<unsigned> queues;
  std::vector<PortCap*> caps = caps_.all();  // what goes over a ring is counted where it leaves
  std::vector<bool> over_ring;
  std::vector<bool> has_twin;
  std::vector<PollDuty> polls;
  for (unsigned p = 0; p < ports_.size(); ++p) {
    Port* stand_in = ring_ports_[worker][p].get();
    ports.push_back(stand_in != nullptr ? stand_in : ports_[p].get());
    over_ring.push_back(stand_in != nullptr);
    if (stand_in != nullptr) caps[p] = nullptr;
    queues.push_back(ports_[p]->facts().tx_queues >= workers_ ? worker : 0);
    const bool addressed = std::ranges::any_of(
        spec_.ports[p].networks, [](const NetworkSpec& n) { return !n.addresses.empty(); });
    has_twin.push_back(addressed && !ports_[p]->facts().on_kernel_interface);
    if (placement_.owner_of_port[p] == worker) polls.push_back({ports_[p].get(), p, 0});
  }
  std::vector<PacketRing*> from;
  std::vector<PacketRing*> fan_from;
  std::vector<FanLink> links;
  for (unsigned w = 0; w < workers_; ++w) {
    links.push_back({fan_[worker][w], pools_[w].get()});
    if (w == worker) continue;
    from.push_back(between_[w][worker]);
    fan_from.push_back(fan_[w][worker]);
  }
  const std::uint64_t budget = pools_[worker].get()->size - kPerPort * ports_.size();
  return {.pipeline = {.spec = spec_,
                       .flows = *flows_,
                       .worker = worker,
                       .mine = mine(placement_, worker),
                       .ports = ports,
                       .tx_queues = queues,
                       .caps = caps,
                       .over_ring = over_ring,
                       .pool = pools_[worker].get(),
                       .heads = head_pools_[worker].get(),
                       .clients = clients_.get(),
                       .helpers = placement_.helpers_of_stream,
                       .fan_links = links,
                       .streams = stream_places(spec_),
                       .held_limit = budget - kFewestPackets / 2,
                       .fingerprint_seed = fingerprint_seed_,
                       .crypto = crypto_ ? &crypto_->queue(worker) : nullptr},
          .core = spec_.appliance.worker_cores[worker],
          .polling = spec_.appliance.polling,
          .polls = polls,
          .sends = sends_[worker],
          .hand_over_to = between_[worker],
          .take_over_from = from,
          .fan_from = fan_from,
          .inject = inject_[worker],
          .punt = punted_[worker],
          .has_twin = has_twin,
          .rcu = rcu_.get()};
}

void LiveRuntime::make_workers() {
  clock_ = std::make_unique<TscClock>();
  const std::size_t size = rte_rcu_qsbr_get_memsize(workers_);
  const std::size_t whole =
      (size + RTE_CACHE_LINE_SIZE - 1) & ~std::size_t{RTE_CACHE_LINE_SIZE - 1};
  rcu_.reset(static_cast<rte_rcu_qsbr*>(std::aligned_alloc(RTE_CACHE_LINE_SIZE, whole)));
  CG_CHECK(rcu_ != nullptr && rte_rcu_qsbr_init(rcu_.get(), workers_) == 0);
  for (unsigned w = 0; w < workers_; ++w) {
    running_.push_back(std::make_unique<Worker>(parts_of(w), *clock_));
  }
}

void LiveRuntime::launch() {
  bool launched = true;
  for (unsigned w = 0; w < workers_; ++w) {
    launched &= rte_eal_remote_launch(run_worker, running_[w].get(), worker_lcore(w)) == 0;
  }
  CG_CHECK(launched);
  started_ = true;
  last_ = blank();
}

Snapshot LiveRuntime::blank() const {
  std::vector<Port*> ports(ports_.size());
  std::ranges::transform(ports_, ports.begin(), [](const auto& port) { return port.get(); });
  Snapshot made = empty_snapshot(spec_, ports);
  add_port_stats(ports, made);
  for (std::size_t p = 0; p < flaps_.size(); ++p) made.ports[p].link_flaps = flaps_[p];
  for (const auto& worker : running_) worker->count_into(made.workers.emplace_back());
  for (std::size_t s = 0; s < spec_.streams.size(); ++s) {
    if (!spec_.streams[s].is_vacant()) ++made.workers[placement_.worker_of_stream[s]].streams;
  }
  return made;
}

}  // namespace castgate
