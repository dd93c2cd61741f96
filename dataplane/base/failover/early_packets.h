// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/base/failover/leg_track.h"
#include "dataplane/base/instant.h"

namespace castgate {

// A packet that came ahead of its leg's turn.
struct EarlyPacket {
  Arrival arrival;
  std::uint64_t position = 0;
  std::uint64_t end = 0;    // one past its last position
  unsigned overtaken = 0;   // packets in turn that came after it from below
  unsigned reordered = 0;   // of the leg's, counted because this one had come
  std::uint32_t order = 0;  // in which the leg brought it
  bool fresh = true;        // the leg has brought nothing in turn since
};

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
  std::array<EarlyPacket, kMost> kept_{};
  unsigned size_ = 0;
};

// What claims to be ahead of its leg's turn and is not believed yet: of each leg, and, once its leg
// is past it, what waits whether another leg brings the position in turn.
struct MergeEarly {
  static constexpr Nanoseconds kDoubt{1'000'000'000};  // how long a leg stays doubted

  struct Leg {
    EarlyList<16> kept;
    std::uint64_t next = 0;  // the position after the newest
    std::uint32_t order = 0;
    bool tangled = false;   // the fresh ones did not come in their order
    Instant doubted_until;  // one of its packets proved false lately
  };

  explicit MergeEarly(unsigned legs) : of_leg(legs) {}

  bool is_aside(unsigned leg, std::uint64_t position) const noexcept {
    for (unsigned i = 0; i < aside.size(); ++i) {
      const EarlyPacket& packet = aside[i];
      if (packet.arrival.leg == leg && packet.position <= position && position < packet.end) {
        return true;
      }
    }
    return false;
  }

  std::vector<Leg> of_leg;
  EarlyList<64> aside;
  unsigned count = 0;  // kept for all legs, without those aside
};

}  // namespace castgate
