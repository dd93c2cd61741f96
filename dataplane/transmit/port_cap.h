// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <rte_mbuf.h>

#include "dataplane/base/instant.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// The most that leaves through a port, all its workers together: so many bits a second of IP
// packets, what was not used in the last 100 ms included. Workers that ask at one time may exceed
// it by a burst each, which the time after pays back.
class PortCap {
 public:
  static constexpr Nanoseconds kOver{100'000'000};

  // `bits_per_second` > 0.
  explicit PortCap(std::uint64_t bits_per_second) noexcept
      : ns_per_byte_((8'000'000'000ull << kShift) / bits_per_second) {}

  // How many of these, from the first on, may leave now. One may while anything is left.
  std::size_t room(std::span<rte_mbuf* const> packets, Instant now) const noexcept {
    std::int64_t until = begin(used_until_.load(std::memory_order_relaxed), now);
    std::size_t count = 0;
    while (count < packets.size() && until <= now.ns) until += cost(*packets[count++]);
    return count;
  }

  // The time that a packet takes of it.
  std::int64_t cost(const rte_mbuf& packet) const noexcept {
    return static_cast<std::int64_t>(ip_bytes(packet) * ns_per_byte_ >> kShift);
  }
  // Packets of that cost have left.
  void spend(std::int64_t took, Instant now) noexcept {
    std::int64_t was = used_until_.load(std::memory_order_relaxed);
    while (!used_until_.compare_exchange_weak(was, begin(was, now) + took,
                                              std::memory_order_relaxed)) {
    }
  }

 private:
  static constexpr unsigned kShift = 16;

  static std::int64_t begin(std::int64_t used_until, Instant now) noexcept {
    return std::max(used_until, now.ns - kOver.count());
  }
  // Behind the Ethernet header and its tags.
  static std::uint32_t ip_bytes(const rte_mbuf& packet) noexcept {
    const auto* bytes = rte_pktmbuf_mtod(&packet, const std::uint8_t*);
    std::uint32_t at = 12;
    while (at + 8 <= packet.data_len && at < 20 &&
           ((bytes[at] == 0x81 && bytes[at + 1] == 0x00) ||
            (bytes[at] == 0x88 && bytes[at + 1] == 0xa8))) {
      at += 4;
    }
    return packet.pkt_len - std::min(packet.pkt_len, at + 2);
  }

  std::uint64_t ns_per_byte_;  // times 2^kShift
  std::atomic<std::int64_t> used_until_{0};
};

// The caps of all ports of a file (ports.*.max_rate).
class PortCaps {
 public:
  explicit PortCaps(const Spec& spec) {
    caps_.reserve(spec.ports.size());
    for (const PortSpec& port : spec.ports) {
      caps_.push_back(port.max_rate_bps == 0 ? nullptr
                                             : std::make_unique<PortCap>(port.max_rate_bps));
    }
  }
  // By port index; null where there is none.
  std::vector<PortCap*> all() const {
    std::vector<PortCap*> pointers;
    pointers.reserve(caps_.size());
    for (const auto& cap : caps_) pointers.push_back(cap.get());
    return pointers;
  }

 private:
  std::vector<std::unique_ptr<PortCap>> caps_;
};

}  // namespace castgate
