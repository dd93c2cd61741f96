// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/scene.h"

#include <cstring>
#include <fmt/format.h>

#include <rte_cycles.h>

namespace castgate::bench {
namespace {

// A rate at which the window that is asked for is the one that is made: half of it in flight.
constexpr Nanoseconds kSkew{10'000'000};

Spec spec_of(const SceneOptions& options) {
  Spec spec;
  for (const char* name : {"a", "b", "out"}) {
    PortSpec port;
    port.name = name;
    port.verify.udp_checksum = options.verify_udp;
    spec.ports.push_back(port);
  }
  for (unsigned s = 0; s < options.streams; ++s) {
    StreamSpec stream;
    stream.name = fmt::format("s{}", s);
    for (unsigned leg = 0; leg < 2; ++leg) {
      LegSpec made;
      made.name = leg == 0 ? "A" : "B";
      made.port = leg;
      made.to = {group_of(leg, s), kUdpPort};
      stream.legs.push_back(made);
    }
    stream.failover.release = options.release;
    stream.failover.max_skew = kSkew;
    stream.failover.max_rate_pps = options.window * 50;
    if (options.moldudp64) stream.sequence.format = SequenceFormat::Moldudp64;
    if (options.prefer) stream.failover.selection = Selection::Prefer;
    stream.verify.mpeg_ts = options.verdicts;
    if (options.verdicts) stream.verify.payload_type = 33;
    if (options.mpeg_ts && !options.verdicts) stream.verify.content_check = 0;
    OutputSpec output;
    output.name = "main";
    output.port = 2;
    output.to = {IpAddress::v4(0xef090000u | s), kUdpPort};
    output.source = IpAddress::v4(0x0a000009u);
    stream.outputs.push_back(output);
    spec.streams.push_back(stream);
  }
  return spec;
}

}  // namespace

Scene::Scene(const SceneOptions& options, rte_mempool* pool, Port& sink)
    : options_(options), spec_(spec_of(options)), pool_(pool) {
  for (unsigned leg = 0; leg < 2; ++leg) {
    legs_[leg] =
        std::make_unique<GeneratorPort>(GeneratorOptions{.leg = leg,
                                                         .streams = options.streams,
                                                         .loss = options.loss,
                                                         .behind = leg == 1 ? options.behind : 0,
                                                         .written_ahead = options.written_ahead,
                                                         .udp_checksum = options.verify_udp,
                                                         .moldudp64 = options.moldudp64,
                                                         .mpeg_ts = options.mpeg_ts,
                                                         .seed = 7 + leg},
                                        pool);
  }
  ports_ = {legs_[0].get(), legs_[1].get(), &sink};
  flows_ = std::make_unique<FlowTable>(spec_, std::vector<std::uint8_t>(options.streams, 0));
  pipeline_ =
      std::make_unique<Pipeline>(PipelineParts{.spec = spec_,
                                               .flows = *flows_,
                                               .worker = 0,
                                               .mine = std::vector<bool>(options.streams, true),
                                               .ports = ports_,
                                               .tx_queues = {0, 0, 0},
                                               .pool = pool,
                                               .held_limit = pool->size / 2,
                                               .exits = this,
                                               .events = this});
}

Scene::~Scene() {
  pipeline_.reset();
}

// What a worker does in a turn. Time runs at the streams' declared pace, so that no gap times out
// for the bench's own speed.
Instant Scene::turn() noexcept {
  const double pps = static_cast<double>(options_.window) * 25 * options_.streams * 2;
  return {1 + static_cast<std::int64_t>(static_cast<double>(packets_) * 1e9 / pps)};
}

std::uint64_t Scene::run(std::uint64_t packets) {
  const std::uint64_t end = packets_ + packets;
  std::array<rte_mbuf*, kBurst> burst;
  while (packets_ < end) {
    const Instant now = turn();
    static_cast<void>(rte_rdtsc());
    for (unsigned leg = 0; leg < 2; ++leg) {
      const unsigned count = legs_[leg]->receive(0, burst);
      if (count != 0) pipeline_->receive(leg, {burst.data(), count}, now);
      packets_ += count;
    }
    if (now >= pipeline_->next_deadline()) pipeline_->tick(now);
    pipeline_->flush();
  }
  return packets;
}

std::vector<std::uint32_t> Scene::residence(std::size_t packets) {
  std::vector<std::uint32_t> cycles;
  cycles.reserve(packets);
  std::array<rte_mbuf*, 1> burst;
  for (std::size_t i = 0; i < packets; ++i) {
    const unsigned leg = i & 1;
    const Instant now = turn();
    if (legs_[leg]->receive(0, burst) == 0) continue;
    const std::uint64_t begin = rte_rdtsc_precise();
    pipeline_->receive(leg, burst, now);
    if (now >= pipeline_->next_deadline()) pipeline_->tick(now);
    pipeline_->flush();
    cycles.push_back(static_cast<std::uint32_t>(rte_rdtsc_precise() - begin));
    ++packets_;
  }
  return cycles;
}

std::string Scene::audit() {
  pipeline_->drain(turn());
  Snapshot snapshot = empty_snapshot(spec_, ports_);
  std::uint64_t sent = 0;
  std::uint64_t covered = 0;
  for (std::size_t s = 0; s < spec_.streams.size(); ++s) {
    pipeline_->snapshot_stream(s, snapshot.streams[s]);
    sent += snapshot.streams[s].outputs[0].packets;
    covered += snapshot.streams[s].forwarded;
  }
  pipeline_->add_counters(snapshot);
  if (!snapshot.ledger.balances()) return "the ledger does not balance";
  if (snapshot.ledger.in != packets_) return "packets received and counted differ";
  if (options_.moldudp64) sent *= kMessages;
  if (sent != covered) return fmt::format("{} positions released, {} packets sent", covered, sent);
  const unsigned expected_ahead = 2 * options_.written_ahead;
  if (rte_mempool_in_use_count(pool_) != expected_ahead) return "packets are missing in the pool";
  return {};
}

std::uint64_t Scene::window_bytes() const {
  Snapshot snapshot = empty_snapshot(spec_, ports_);
  std::uint64_t bytes = 0;
  for (std::size_t s = 0; s < spec_.streams.size(); ++s) {
    pipeline_->snapshot_stream(s, snapshot.streams[s]);
    bytes += snapshot.streams[s].window_bytes;
  }
  return bytes;
}

Unit::Unit(const SceneOptions& options, rte_mempool* pool, Port& sink) : sink_(sink) {
  for (unsigned leg = 0; leg < 2; ++leg) {
    legs_[leg] = std::make_unique<GeneratorPort>(
        GeneratorOptions{
            .leg = leg, .streams = options.streams, .loss = options.loss, .seed = 7 + leg},
        pool);
  }
}

std::uint64_t Unit::run(std::uint64_t packets) {
  std::array<rte_mbuf*, kBurst> burst;
  for (std::uint64_t done = 0; done < packets;) {
    for (const auto& leg : legs_) {
      const unsigned count = leg->receive(0, burst);
      for (unsigned i = 0; i < count; ++i) {
        auto* frame = rte_pktmbuf_mtod(burst[i], std::uint8_t*);
        std::array<std::uint8_t, 6> to;
        std::memcpy(to.data(), frame, 6);
        std::memcpy(frame, frame + 6, 6);
        std::memcpy(frame + 6, to.data(), 6);
      }
      const unsigned sent = sink_.transmit(0, {burst.data(), count});
      if (sent != count) std::abort();
      done += count;
    }
  }
  return packets;
}

}  // namespace castgate::bench
