// SPDX-License-Identifier: Apache-2.0
// What a merge window keeps besides its slots, each only where its stream asks for it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "dataplane/base/failover/leg_switch.h"
#include "dataplane/base/instant.h"

namespace castgate {

// What a window pays attention to: bits of one byte, so that the straight path asks once.
struct MergeAttention {
  static constexpr std::uint8_t kStarting = 1;  // no position has left in this epoch
  static constexpr std::uint8_t kGap = 2;       // packets wait behind a hole
  static constexpr std::uint8_t kGeneral = 4;   // more than two legs, or Playout
  static constexpr std::uint8_t kEarly = 8;     // packets ahead of their leg's turn are kept
  static constexpr std::uint8_t kArm = 16;
  static constexpr std::uint8_t kIdle = 32;  // no packets lately: nothing watches for silence
  static constexpr std::uint8_t kWide = 64;  // positions of more than 32 bits, or ranges of them
  static constexpr std::uint8_t kLockout = 128;  // a leg's packets are not wanted
  static constexpr std::uint8_t kRare = kStarting | kGeneral | kEarly | kIdle | kWide | kLockout;
  // A range may be the next all the same, where none of these holds.
  static constexpr std::uint8_t kRareRange =
      kStarting | kGap | kGeneral | kEarly | kIdle | kLockout;

  static constexpr std::int64_t kNear = 64;  // positions any leg may jump without confirmation
};

// Positions [begin, end).
struct PositionRun {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// Who brought a position first, and when.
struct PositionSample {
  std::uint64_t position = 0;
  Instant at;
  unsigned leg = 0;
  std::uint64_t content = 0;  // where contents are compared
};

// Packets of several positions.
struct MergeRanges {
  std::unique_ptr<std::uint16_t[]> counts;  // Ordered: positions of the packet kept in a slot
  std::uint64_t heartbeat_at = 0;           // the position that the newest heartbeats announce
  unsigned heartbeats = 0;                  // of them, forwarded
  bool end_forwarded = false;               // and the end of the session
};

// Copies that are not all worth the same: a leg is preferred, or a verdict was passed on them.
struct MergeChoice {
  MergeChoice(const SwitchConfig& config, unsigned legs, std::uint64_t window)
      : switching(config, legs),
        kept(std::make_unique<std::uint8_t[]>(window)),
        since(std::make_unique<Instant[]>(window)) {}

  std::array<std::uint64_t, 8> selected{};  // by leg: positions that left from it
  std::uint64_t degraded = 0;               // positions of which no good copy came
  std::uint64_t replaced = 0;               // packets kept that made way for a better copy
  LegSwitch switching;
  struct Second {  // how much of a leg was faulty
    std::uint64_t packets = 0;
    std::uint64_t faulty = 0;
    LegHealth health = LegHealth::Well;
  };
  std::array<Second, 8> seconds{};
  std::array<std::uint64_t, 8> faulty{};  // by leg: packets that were not good
  Instant judged_at;
  std::unique_ptr<std::uint8_t[]> kept;  // by slot: the leg of the packet in it, and its grade
  std::unique_ptr<Instant[]> since;      // by position up to the head: when the stream came by
};

}  // namespace castgate
