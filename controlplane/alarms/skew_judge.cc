// SPDX-License-Identifier: Apache-2.0
// How far the legs of a stream are apart, and whether the merge waits long enough.
#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

#include "controlplane/alarms/stream_judge.h"
#include "pipelines/units.h"

namespace castgate {
namespace {

constexpr double kMargin = 1.25;  // of what is proposed over what was seen
constexpr double kNanosecondsPerMillisecond = 1e6;

// Up to two digits: 17.75 ms is 18 ms.
Nanoseconds rounded_up(double nanoseconds) {
  double step = 1;
  while (nanoseconds / step > 100) step *= 10;
  return Nanoseconds{static_cast<std::int64_t>(std::ceil(nanoseconds / step) * step)};
}

// The key that says how long the merge waits.
std::string_view hold_key(const FailoverSpec& failover) {
  return longest_hold(failover) > failover.max_skew ? "playout_delay" : "max_skew";
}

using Skews = std::array<SkewHistogram, kMaxLegs>;

std::string leg_ahead_of(const StreamStretch& stretch, const Skews& skews, std::size_t leg) {
  std::size_t first = leg == 0 ? 1 : 0;
  for (std::size_t other = 0; other < stretch.spec.legs.size(); ++other) {
    if (other == leg || skews[other].count() == 0) continue;
    if (skews[first].count() == 0 || skews[other].percentile(0.5) < skews[first].percentile(0.5))
      first = other;
  }
  return stretch.spec.legs[first].name;
}

std::string too_far(const StreamStretch& stretch, const Skews& skews, std::size_t leg) {
  const FailoverSpec& failover = stretch.spec.failover;
  const auto worst = static_cast<double>(skews[leg].max());
  return fmt::format("stream {}: leg {} is {:.3g} ms behind {}; set failover.{}: {}",
                     stretch.spec.name, stretch.spec.legs[leg].name,
                     worst / kNanosecondsPerMillisecond, leg_ahead_of(stretch, skews, leg),
                     hold_key(failover), duration_text(rounded_up(kMargin * worst)));
}

std::string too_late(const StreamStretch& stretch, std::size_t leg, std::uint64_t late) {
  const FailoverSpec& failover = stretch.spec.failover;
  return fmt::format(
      "stream {}: {} packets of leg {} came after their positions were given up; raise "
      "failover.reorder_depth, now {}, where the leg reorders, else failover.{}, now {}",
      stretch.spec.name, late, stretch.spec.legs[leg].name, failover.reorder_depth,
      hold_key(failover), duration_text(longest_hold(failover)));
}

}  // namespace

Findings find_path_differentials(const StreamStretch& stretch) {
  const StreamSpec& spec = stretch.spec;
  Findings found;
  if (spec.legs.size() < 2) return found;
  Skews skews;
  for (std::size_t leg = 0; leg < spec.legs.size(); ++leg)
    skews[leg] = stretch.after.legs[leg].skew.since(stretch.before.legs[leg].skew);
  const auto limit = static_cast<std::uint64_t>(longest_hold(spec.failover).count());
  for (std::size_t leg = 0; leg < spec.legs.size(); ++leg) {
    const std::uint64_t late =
        stretch.after.legs[leg].late_after_release - stretch.before.legs[leg].late_after_release;
    const bool far = skews[leg].max() > limit;
    if (!far && late == 0) continue;
    found.push_back({{.stream = spec.name, .leg = spec.legs[leg].name},
                     far ? too_far(stretch, skews, leg) : too_late(stretch, leg, late)});
  }
  return found;
}

}  // namespace castgate
