// SPDX-License-Identifier: Apache-2.0
// Which legs are live, and so must be waited for.
#include <algorithm>
#include <utility>

#include "dataplane/base/failover/merge_window.h"

namespace castgate {
namespace {

constexpr Nanoseconds kShortestCheck{20'000'000};
constexpr unsigned kQuietChecks = 2;
// A leg can only be missed while the stream moves by more than any leg may jump.
constexpr std::uint64_t kMovedPositions = 64;

}  // namespace

// How far beyond next_out the slowest live leg is.
std::int64_t MergeWindow::passed_by_all() const noexcept {
  std::int64_t least = INT64_MAX;
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    if (legs_[leg].unwanted) continue;
    if (settling_ && !legs_[leg].seen) return 0;
    if (!legs_[leg].live) continue;
    const auto ahead =
        static_cast<std::int32_t>(hi_of(leg) - static_cast<std::uint32_t>(next_out_));
    least = std::min<std::int64_t>(least, ahead);
  }
  return least == INT64_MAX ? 0 : least;
}

void MergeWindow::set_live(unsigned leg, bool live, Instant now, MergeOutlet& out) noexcept {
  LegTrack& track = legs_[leg];
  track.quiet_checks = 0;
  track.diverged = false;
  if (track.live == live) return;
  if (!live) leave(leg);
  track.live = live;
  free_legs();
  ++track.state_changes;
  out.leg_changed(config_.tag, leg,
                  live ? MergeOutlet::LegChange::Up : MergeOutlet::LegChange::Silent, now);
}

void MergeWindow::leave(unsigned leg) noexcept {
  if (legs_[leg].live) legs_[leg].left_at = highest_of(leg);
  legs_[leg].live = false;
  free_legs();
}

// Now and then: a leg that brought nothing while the stream moved on is not waited for any longer.
// A stream that stands still is left alone until its next packet. True when the leg was heard.
bool MergeWindow::check_leg(unsigned leg, Instant now, MergeOutlet& out) noexcept {
  LegTrack& track = legs_[leg];
  const bool heard = hi_of(leg) != std::exchange(track.checked_hi, hi_of(leg));
  if (heard) {
    track.heard_at = next_out_;
    track.quiet_checks = 0;
  }
  if (heard && track.seen && !track.live) {
    drop_candidates(leg, out);
    set_live(leg, true, now, out);
  } else if (!heard && track.live && ++track.quiet_checks >= kQuietChecks &&
             next_out_ - track.heard_at > kMovedPositions) {
    set_live(leg, false, now, out);
  }
  const Candidate& candidate = track.candidate;
  const Instant waiting = candidate.confirmed ? candidate.last_at : candidate.kept[0].now;
  const bool stale = candidate.count != 0 && waiting + config_.epoch_hold + config_.max_skew < now;
  if (stale) drop_candidates(leg, out);
  return heard;
}

void MergeWindow::check_silence(Instant now, MergeOutlet& out) noexcept {
  bool any_heard = false;
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    if (check_leg(leg, now, out)) any_heard = true;
  }
  returning_ = false;
  settling_ = false;
  if (choice_) judge_legs(now, out);
  close_passed(now, out);
  next_check_ = now + std::max(config_.max_skew, kShortestCheck);
  if (any_heard || held() != 0) return;
  next_check_ = kNever;
  attention_ |= kIdle;
}

}  // namespace castgate
