// SPDX-License-Identifier: Apache-2.0
// Ports for workers on threads of their own: two legs of many streams, and who receives them.
#pragma once

#include <array>
#include <atomic>
#include <numeric>
#include <thread>
#include <vector>

#include "drivers/port.h"
#include "tests/support/packets.h"
#include "tests/support/quiet_eal.h"

namespace castgate::test {

inline constexpr unsigned kStreams = 16;
inline constexpr std::uint64_t kApart = 64;  // positions by which the legs may differ

// Both legs' progress, so that the window's deadlines never matter on a machine that stutters.
struct Progress {
  std::array<std::atomic<std::uint64_t>, 2> leg{};
};

// One leg of every stream: position by position, without those that it loses.
class LegSender final : public Port {
 public:
  LegSender(rte_mempool* pool, unsigned leg, unsigned loses_each, Progress& progress)
      : pool_(pool), leg_(leg), loses_each_(loses_each), progress_(progress) {
    for (unsigned s = 0; s < kStreams; ++s) {
      Frame frame;
      frame.destination = {239, 1, 0, static_cast<std::uint8_t>(s)};
      frame.to_mac = {1, 0, 0x5e, 1, 0, static_cast<std::uint8_t>(s)};
      frame.udp_sum = false;
      frame.payload = Bytes(40, 0x55);
      frame.payload[0] = 0x80;
      frames_.push_back(frame.bytes());
    }
  }
  unsigned receive(unsigned, std::span<rte_mbuf*> burst) noexcept override {
    if (holds) return 0;
    if (position_ == waiting_) {  // all that waited is taken
      waiting_ = 0;
      return 0;
    }
    unsigned count = 0;
    while (count < burst.size() && position_ < last && position_ != waiting_ &&
           position_ < progress_.leg[1 - leg_].load(std::memory_order_relaxed) + kApart) {
      if (position_ % loses_each_ != 0) {
        Bytes& frame = frames_[stream_];
        set16(frame, 14 + 20 + 8 + 2, position_ & 0xffff);
        burst[count] = one_segment(pool_, frame);
        if (burst[count] == nullptr) break;
        ++count;
      }
      if (++stream_ < kStreams) continue;
      stream_ = 0;
      progress_.leg[leg_].store(++position_, std::memory_order_relaxed);
    }
    sent.fetch_add(count, std::memory_order_relaxed);
    return count;
  }
  unsigned transmit(unsigned, std::span<rte_mbuf* const>) noexcept override { return 0; }
  const PortFacts& facts() const noexcept override { return facts_; }
  PortStats stats() const override { return {}; }
  // A port in which the first packets wait already.
  void wire(std::uint64_t positions) {
    facts_.is_wire = true;
    waiting_ = positions + 1;
  }

  std::uint64_t last = 0;  // positions to send
  std::atomic<std::uint64_t> sent{0};
  std::atomic<bool> holds = false;  // nothing comes for the moment

 private:
  rte_mempool* pool_;
  unsigned leg_;
  unsigned loses_each_;
  Progress& progress_;
  std::vector<Bytes> frames_;
  std::uint64_t position_ = 1;
  std::uint64_t waiting_ = 0;
  unsigned stream_ = 0;
  PortFacts facts_;
};

// Takes the virtual streams, from one thread only, and keeps each one's sequence numbers' steps.
class StreamReceiver final : public Port {
 public:
  StreamReceiver() { facts_.multi_segment_tx = true; }
  unsigned receive(unsigned, std::span<rte_mbuf*>) noexcept override { return 0; }
  unsigned transmit(unsigned, std::span<rte_mbuf* const> burst) noexcept override {
    other_thread = other_thread || (taken != 0 && thread_ != std::this_thread::get_id());
    thread_ = std::this_thread::get_id();
    for (rte_mbuf* packet : burst) {
      const Bytes frame = bytes_of(packet);
      rte_pktmbuf_free(packet);
      const unsigned stream = frame.at(33);
      const auto sequence = static_cast<std::uint16_t>(get16(frame, 44));
      const auto step = static_cast<std::uint16_t>(sequence - before_.at(stream));
      before_.at(stream) = sequence;
      ++taken_of.at(stream);
      backward_of.at(stream) += step == 0 || step > 2 ? 1 : 0;
      skipped_of.at(stream) += step == 2 ? 1 : 0;
    }
    taken += burst.size();
    return static_cast<unsigned>(burst.size());
  }
  const PortFacts& facts() const noexcept override { return facts_; }
  PortStats stats() const override { return {}; }

  std::atomic<std::uint64_t> taken{0};
  using EachStream = std::array<std::uint64_t, kStreams>;
  EachStream taken_of{};
  EachStream backward_of{};  // not the next position and not the one after a loss
  EachStream skipped_of{};
  std::uint64_t backward() const {
    return std::accumulate(backward_of.begin(), backward_of.end(), std::uint64_t{0});
  }
  std::uint64_t skipped() const {
    return std::accumulate(skipped_of.begin(), skipped_of.end(), std::uint64_t{0});
  }
  bool other_thread = false;

 private:
  std::thread::id thread_;
  std::array<std::uint16_t, kStreams> before_{};
  PortFacts facts_;
};

}  // namespace castgate::test
