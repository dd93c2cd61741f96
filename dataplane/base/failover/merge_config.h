// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/base/failover/leg_switch.h"
#include "dataplane/base/failover/merge_outlet.h"
#include "dataplane/base/instant.h"

namespace castgate {

enum class MergeRelease : std::uint8_t { Arrival, Ordered, Playout };

struct MergeConfig {
  MergeRelease release = MergeRelease::Ordered;
  std::uint64_t window = 2048;  // positions; a power of two, 256 or more
  Nanoseconds max_skew{10'000'000};
  Nanoseconds playout_delay{10'000'000};
  Nanoseconds epoch_hold{20'000'000};
  unsigned legs = 2;           // 1 to 8
  unsigned reorder_depth = 3;  // positions
  unsigned width = 16;         // bits of a position on the wire: 16 to 64
  bool ranges = false;         // a packet holds any number of positions; not with Playout
  bool trim = true;            // ranges: what left already is cut off, else the packet goes whole
  // Where copies differ in worth: which leg is preferred. Read by the constructor alone; packets
  // are given to offer_choice() then. Not with ranges or Arrival.
  const SwitchConfig* choice = nullptr;
  std::uint32_t degrade_loss_ppm = 0;  // choice: a leg that loses more in a second is degraded
  std::uint64_t content_check = 0;     // 0, or every how many positions legs' contents are compared
  std::uint32_t tag = 0;               // handed back with gaps and changes of epoch
};

struct MergeTotals {
  std::uint64_t unrecovered = 0;
  std::uint64_t recovered = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(GapCause::kCount)> gaps{};
  std::uint64_t gap_max = 0;
  std::uint64_t held_max = 0;
  std::int64_t hold_max_ns = 0;
  std::uint64_t restarts = 0;
  std::uint64_t trimmed = 0;           // positions cut off because another packet had brought them
  std::uint64_t forwarded_before = 0;  // positions released in earlier epochs
};

}  // namespace castgate
