// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/base/failover/leg_track.h"
#include "dataplane/base/instant.h"

namespace castgate {

// A packet that came ahead of its leg's turn. Small: with many streams each line of it is cold.
struct EarlyPacket {
  void* packet = nullptr;
  std::uint64_t position = 0;
  Instant came;
  std::uint32_t order = 0;      // in which the leg brought it
  std::uint16_t count = 1;      // as Arrival has it
  std::uint16_t overtaken = 0;  // packets in turn that came after it from below
  std::uint16_t reordered = 0;  // of the leg's, counted because this one had come
  std::uint8_t leg = 0;
  Grade grade = Grade::Good;
  bool fresh = true;  // the leg has brought nothing in turn since

  // As it came, in the stream's epoch; its bytes are counted already.
  Arrival arrival(std::uint32_t epoch, std::uint64_t bias) const noexcept {
    return {packet, position - bias, epoch, 0, leg, came, count, grade};
  }
  // One past its last position.
  std::uint64_t end() const noexcept { return position + (count == Located::kEnd ? 0 : count); }
};
static_assert(sizeof(EarlyPacket) == 40);

// Packets by position, the lowest first.
template <unsigned kMost>
class EarlyList {
 public:
  unsigned size() const noexcept { return size_; }
  bool full() const noexcept { return size_ == kMost; }
  EarlyPacket& operator[](unsigned i) noexcept { return kept_[i]; }
  const EarlyPacket& operator[](unsigned i) const noexcept { return kept_[i]; }

  void insert(const EarlyPacket& packet) noexcept {
    unsigned at = size_++;
    for (; at != 0 && kept_[at - 1].position > packet.position; --at) kept_[at] = kept_[at - 1];
    kept_[at] = packet;
  }
  EarlyPacket take(unsigned at) noexcept {
    const EarlyPacket taken = kept_[at];
    --size_;
    for (unsigned i = at; i < size_; ++i) kept_[i] = kept_[i + 1];
    return taken;
  }

 private:
  unsigned size_ = 0;
  std::array<EarlyPacket, kMost> kept_{};
};

// What claims to be ahead of its leg's turn and is not believed yet: of each leg, and, once its leg
// is past it, what waits whether another leg brings the position in turn.
struct MergeEarly {
  static constexpr Nanoseconds kDoubt{1'000'000'000};  // how long a leg stays doubted

  // Its first line holds the first packet.
  struct alignas(64) Leg {
    std::uint64_t next = 0;  // the position after the newest
    std::uint32_t order = 0;
    bool tangled = false;  // the fresh ones did not come in their order
    EarlyList<16> kept;
  };

  explicit MergeEarly(unsigned legs) : of_leg(legs) {}

  bool is_aside(unsigned leg, std::uint64_t position) const noexcept {
    for (unsigned i = 0; i < aside.size(); ++i) {
      const EarlyPacket& packet = aside[i];
      if (packet.leg == leg && packet.position <= position && position < packet.end()) return true;
    }
    return false;
  }

  std::vector<Leg> of_leg;
  unsigned count = 0;  // kept for all legs, without those aside
  EarlyList<64> aside;
};

}  // namespace castgate
