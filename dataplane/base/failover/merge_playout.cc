// SPDX-License-Identifier: Apache-2.0
// release: playout. Every position leaves a fixed delay after the moment at which the earliest leg
// brings it; that moment is read off any leg, less how far it runs behind, so the death of the
// earliest leg does not move the schedule.
#include <algorithm>
#include <utility>

#include "dataplane/base/failover/merge_window.h"

namespace castgate {
namespace {

// A leg's lag follows 1/16 of a larger measurement and a smaller one at once: too small an estimate
// plays a little late, too large a one loses.
constexpr std::int64_t kSmoothing = 16;

}  // namespace

void MergeWindow::place_playout(const Arrival& a, std::uint64_t position,
                                MergeOutlet& out) noexcept {
  if ((position & 63) == 0) milestone(a, position, out);
  if (position < next_out_) return past(a, position, out);
  if (is_packet(slot(position)) && position - next_out_ < window() / 2) {
    LegTrack& leg = legs_[a.leg];
    const std::int64_t lag = (a.now - waited_ + playout_delay() - due_[position & mask_]).count();
    const std::int64_t more = lag - leg.skew_smoothed_ns;
    // What came out of order says nothing of its leg's lag.
    const bool in_order = static_cast<std::uint32_t>(position) == hi_of(a.leg);
    if (in_order) leg.skew_smoothed_ns += more < 0 ? more : more / kSmoothing;
    if (choice_) return contend(a, position, out);
    return out.discard(a.packet, MergeDrop::Redundant);
  }
  while (held_ != 0 && (position - next_out_ >= window() / 2 || !out.may_hold())) {
    play_out(due_[first_held_ & mask_], a.now, out);
  }
  if (position < next_out_) return past(a, position, out);
  if (position - next_out_ >= window() / 2) {
    give_up(position - window() / 2 + 1, GapCause::Budget);
    head_ = std::max(head_, next_out_ - 1);
    due_[head_ & mask_] = a.now;
  }
  if (position > head_) {
    schedule(a, position);
  } else {
    note_fill(a.leg, position);
  }
  if (!out.may_hold()) return play_at_once(a, position, out);
  first_held_ = held_ == 0 ? position : std::min(first_held_, position);
  store(a.packet, position, out);
  keep_as(a, position);
  want(due_[first_held_ & mask_]);
}

// Dates `position`, the new head, and the holes below it, evenly from the old head's date.
void MergeWindow::schedule(const Arrival& a, std::uint64_t position) noexcept {
  const LegTrack& leg = legs_[a.leg];
  const Nanoseconds lag = waited_ + Nanoseconds{leg.skew_smoothed_ns};
  const std::int64_t before = due_[head_ & mask_].ns;
  const std::int64_t due = std::max((a.now + playout_delay() - lag).ns, before);
  const auto steps = static_cast<std::int64_t>(position - head_);
  for (std::int64_t i = 1; i < steps; ++i) {
    due_[(head_ + static_cast<std::uint64_t>(i)) & mask_] = {before + (due - before) * i / steps};
  }
  due_[position & mask_] = {due};
  head_ = position;
}

// The packet budget of all streams together is used up.
void MergeWindow::play_at_once(const Arrival& a, std::uint64_t position,
                               MergeOutlet& out) noexcept {
  give_up(position, GapCause::Budget);
  report_gap(a.now, out);
  if (choice_) ++choice_->selected[a.leg];
  out.forward(a.packet);
  next_out_ = position + 1;
  recent_ = recent_ << 1 | 1;
}

// Lets go what is due by `due_by`.
void MergeWindow::play_out(Instant due_by, Instant now, MergeOutlet& out) noexcept {
  while (held_ != 0 && due_[first_held_ & mask_] <= due_by) {
    give_up(first_held_, GapCause::Deadline);
    report_gap(now, out);
    if (choice_) note_selected(first_held_);
    out.forward(std::exchange(slot(first_held_), nullptr));
    out.held_changed(-1);
    --held_;
    next_out_ = first_held_ + 1;
    recent_ = recent_ << 1 | 1;
    if (held_ != 0) find_first_held();
  }
  if (held_ != 0) want(due_[first_held_ & mask_]);
}

}  // namespace castgate
