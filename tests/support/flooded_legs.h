// SPDX-License-Identifier: Apache-2.0
// Two lossy legs of a stream at an even pace on a port that a flood of host traffic fills, and who
// takes what leaves and what reaches the host stack.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "dataplane/packet_ring.h"
#include "dataplane/stage.h"
#include "dataplane/tsc_clock.h"
#include "drivers/port.h"
#include "tests/support/host_flood.h"
#include "tests/support/quiet_eal.h"

namespace castgate::test {

inline constexpr std::int64_t kSecond = 1'000'000'000;
inline constexpr std::int64_t kStreamStep = 100'000;  // ns: 10 kpps on each leg
inline constexpr std::uint64_t kBehind = 30;          // positions by which leg B comes later

inline Bytes stream_packet(unsigned leg, std::uint64_t position) {
  Frame frame;
  frame.destination = {239, 1, 0, static_cast<std::uint8_t>(1 + leg)};
  frame.to_mac = {1, 0, 0x5e, 1, 0, static_cast<std::uint8_t>(1 + leg)};
  frame.payload = {0x80, 33};
  put16(frame.payload, position & 0xffff);
  put32(frame.payload, static_cast<std::uint32_t>(position));
  put32(frame.payload, 0x5eed);
  append(frame.payload, pattern(188, static_cast<unsigned>(position)));
  return frame.bytes();
}

// Each leg loses a share of its own and never what the other lost.
inline bool is_lost(unsigned leg, std::uint64_t position) {
  return leg == 0 ? position % 7 == 3 : position % 7 != 3 && position % 11 == 5;
}

// Both legs of a stream that nothing disturbs, in order of time: (leg, position).
class TwoLegs {
 public:
  // The next packet that is due at `since` nanoseconds after the first; null when there is none.
  rte_mbuf* next(std::int64_t since, rte_mempool* pool) {
    while (turn_ / 2 < last + kBehind &&
           static_cast<std::int64_t>(turn_ / 2) * kStreamStep <= since) {
      const unsigned leg = turn_ % 2;
      const std::uint64_t position = turn_++ / 2 - (leg == 0 ? 0 : kBehind);
      if (position >= last || is_lost(leg, position)) continue;  // below 0 is huge
      return one_segment(pool, stream_packet(leg, position));
    }
    return nullptr;
  }
  bool done() const { return turn_ / 2 >= last + kBehind; }
  std::uint64_t last = 0;  // positions to send

 private:
  std::uint64_t turn_ = 0;
};

// What the host stack's side of the ring finds, by kind.
class HostSide {
 public:
  explicit HostSide(const std::array<FloodKind, 6>& flood) : flood_(flood) {}
  void empty(PacketRing& ring) {
    std::array<rte_mbuf*, kBurst> burst;
    while (const unsigned count = ring.take(burst)) {
      for (unsigned i = 0; i < count; ++i) {
        const Bytes frame = bytes_of(burst[i]);
        rte_pktmbuf_free(burst[i]);
        const auto kind = std::ranges::find(flood_, frame, &FloodKind::frame);
        ++got[kind == flood_.end() ? "something else" : std::string(kind->name)];
        ++all;
      }
    }
  }
  std::map<std::string, std::uint64_t> got;
  std::uint64_t all = 0;

 private:
  const std::array<FloodKind, 6>& flood_;
};

// A port whose ring is never empty: both legs at their pace by the real clock, flood for the rest
// of every burst.
class FloodedPort final : public Port {
 public:
  FloodedPort(rte_mempool* pool, const std::array<FloodKind, 6>& flood, const TscClock& clock)
      : pool_(pool), flood_(flood), clock_(clock) {}
  unsigned receive(unsigned, std::span<rte_mbuf*> burst) noexcept override {
    if (legs.last == 0) return 0;
    if (began_.ns == 0) began_ = clock_.now();
    const Nanoseconds since = clock_.now() - began_;
    unsigned count = 0;
    while (count < burst.size()) {
      rte_mbuf* packet = count % 4 == 0 ? legs.next(since.count(), pool_) : nullptr;
      if (packet != nullptr) {
        streams.fetch_add(1, std::memory_order_relaxed);
      } else if (!stops.load(std::memory_order_relaxed)) {
        const std::uint64_t turn = flooded.load(std::memory_order_relaxed);
        packet = one_segment(pool_, flood_[turn % flood_.size()].frame);
        flooded.store(turn + 1, std::memory_order_relaxed);
      }
      if (packet == nullptr) break;
      burst[count++] = packet;
    }
    ended.store(legs.done(), std::memory_order_relaxed);
    lasted.store(since.count(), std::memory_order_relaxed);
    return count;
  }
  unsigned transmit(unsigned, std::span<rte_mbuf* const>) noexcept override { return 0; }
  const PortFacts& facts() const noexcept override { return facts_; }
  PortStats stats() const override { return {}; }

  TwoLegs legs;
  std::atomic<bool> stops{false};
  std::atomic<bool> ended{false};  // all of the stream was received
  std::atomic<std::uint64_t> streams{0};
  std::atomic<std::uint64_t> flooded{0};
  std::atomic<std::int64_t> lasted{0};

 private:
  rte_mempool* pool_;
  const std::array<FloodKind, 6>& flood_;
  const TscClock& clock_;
  Instant began_;
  PortFacts facts_;
};

}  // namespace castgate::test
