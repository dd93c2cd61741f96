// SPDX-License-Identifier: Apache-2.0
// What a worker tells the control plane, as plain values that fit a ring.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/base/instant.h"

namespace castgate {

enum class GapReason : std::uint8_t { BothLost, Deadline, Budget, Restart };

inline constexpr std::array<std::string_view, 4> kGapReasonNames{"both_lost", "deadline", "budget",
                                                                 "restart"};

enum class EventKind : std::uint8_t {
  Gap,
  EpochChange,
  LegUp,
  LegSilent,
  LegDiverged,
  LegPreferred,
  OffsetLocked,
  OffsetLost
};

constexpr std::string_view name_of(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::Gap:
      return "gap";
    case EventKind::EpochChange:
      return "epoch_change";
    case EventKind::LegUp:
      return "leg_up";
    case EventKind::LegSilent:
      return "leg_silent";
    case EventKind::LegDiverged:
      return "leg_diverged";
    case EventKind::LegPreferred:
      return "leg_preferred";
    case EventKind::OffsetLocked:
      return "offset_locked";
    case EventKind::OffsetLost:
      return "offset_lost";
  }
  return "";
}

struct Event {
  EventKind kind = EventKind::Gap;
  GapReason reason = GapReason::BothLost;  // Gap
  std::uint8_t leg = 0;                    // Leg*, Offset*
  std::uint8_t legs = 0;                   // Gap: bit i: leg i was up, and did not bring it
  std::uint16_t stream = 0;                // index into Spec::streams
  std::uint32_t epoch = 0;                 // SSRC, or the session's number
  std::uint64_t from = 0;                  // Gap: first position lost
  std::uint64_t to = 0;                    // Gap: last position lost
  std::int64_t offset = 0;                 // OffsetLocked: what is added to the leg's positions
  Instant at;
};

}  // namespace castgate
