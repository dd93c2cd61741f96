// SPDX-License-Identifier: Apache-2.0
// How a stream starts, and what becomes of a packet that is not in the middle of its epoch.
#include <algorithm>

#include "dataplane/base/failover/merge_window.h"

namespace castgate {
void MergeWindow::reset_positions() noexcept {
  next_out_ = origin_;
  head_ = origin_ - 1;
  held_ = 0;
  recent_ = 0;
  attention_ |= kStarting;
  attention_ &= static_cast<std::uint8_t>(~(kGap | kIdle));
  start_deadline_ = kNever;
  next_check_ = kNever;
  returning_ = false;
  settling_ = false;
  run_open_ = false;
  holes_ = 0;
  fills_ = 0;
  closed_below_ = 0;
  words_end_ = 0;
  if (ranges_) {
    ranges_->heartbeat_at = 0;
    ranges_->end_forwarded = false;
  }
  unrecovered_before_ = totals_.unrecovered;
  jumps_.clear();
  if (arrival_) std::fill_n(words_.get(), window() / 64, 0);
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    legs_[leg].seen = false;
    legs_[leg].live = false;
    hi_of(leg) = static_cast<std::uint32_t>(origin_ - (1u << 30));  // no packet is next to it
    legs_[leg].marked_hi = hi_of(leg);
    legs_[leg].unrecovered_mark = totals_.unrecovered;
  }
  free_legs();
}

// Whatever is not a two-leg stream in the middle of its epoch.
void MergeWindow::offer_rare(const Arrival& a, MergeOutlet& out) noexcept {
  count_general(a);
  if ((attention_ & kIdle) != 0) {
    attention_ &= static_cast<std::uint8_t>(~kIdle);
    returning_ = true;
    next_check_ = a.now + config_.max_skew;
    want(next_check_);
  }
  if (legs_[a.leg].unwanted && !started()) return refuse(a, out);
  if (!started()) return offer_starting(a, out);
  if (a.epoch != epoch_) return suspect(a, Candidate::kMost, out);
  resume(a, out);
}

// Until every leg was seen, or max_skew has passed, packets are kept: the stream begins at the
// lowest position of all. In Arrival it begins at once, and lower positions still count as new.
void MergeWindow::offer_starting(const Arrival& a, MergeOutlet& out) noexcept {
  const bool first = start_deadline_ == kNever;
  if (first) {
    epoch_ = a.epoch;
    const bool wide = (attention_ & kWide) != 0;
    if (wide) bias_ = origin_ + (1ull << 31) - a.raw;
    next_out_ = wide ? a.raw + bias_ : origin_ + a.raw;
    head_ = positions_in(a) == 0 ? next_out_ - 1 : next_out_;
    first_held_ = next_out_;
    start_deadline_ = a.now + config_.max_skew;
    want(start_deadline_);
  }
  if (a.epoch != epoch_) return suspect(a, Candidate::kMost, out);
  const std::uint64_t position = position_of(a);
  if (is_wanted(a, position, out)) keep_for_start(a, position, out);
}

void MergeWindow::keep_for_start(const Arrival& a, std::uint64_t position,
                                 MergeOutlet& out) noexcept {
  if (ranges_) return keep_range_for_start(a, position, out);
  if (arrival_) {
    first_ = position;
    begin(a.now, out);
    return place(a, position, out);
  }
  const std::uint64_t reach = window() / 2;
  const bool fits = position + reach > head_ && position < first_held_ + reach;
  const bool all =
      std::ranges::all_of(legs_, [](const LegTrack& leg) { return leg.seen || leg.unwanted; });
  if (fits && is_packet(slot(position))) {
    if (choice_) {
      contend(a, position, out);
    } else {
      out.discard(a.packet, MergeDrop::Redundant);
    }
    return all ? begin(a.now, out) : void();
  }
  if (!fits || !out.may_hold()) {
    begin(a.now, out);
    return place_any(a, position, out);
  }
  if (position < head_) note_fill(a.leg, position);
  first_held_ = std::min(first_held_, position);
  head_ = std::max(head_, position);
  store(a.packet, position, out);
  keep_as(a, position);
  if (choice_) choice_->since[position & mask_] = a.now - waited_;
  if (due_) {
    const Nanoseconds lag = waited_ + Nanoseconds{legs_[a.leg].skew_smoothed_ns};
    due_[position & mask_] = a.now + playout_delay() - lag;
  }
  if (all) begin(a.now, out);
}

void MergeWindow::begin(Instant now, MergeOutlet& out) noexcept {
  attention_ &= static_cast<std::uint8_t>(~kStarting);
  next_check_ = now + std::max(config_.max_skew, config_.epoch_hold);
  want(next_check_);
  if (!arrival_) first_ = first_held_;
  if (!arrival_) next_out_ = first_held_;
  for (LegTrack& leg : legs_) leg.heard_at = next_out_;
  words_end_ = next_out_ & ~63ull;
  settling_ = true;
  if (arrival_) return;
  if (due_) {
    for (std::uint64_t p = head_; p-- > first_held_;) {
      const Instant above = due_[(p + 1) & mask_];
      due_[p & mask_] = is_packet(slot(p)) ? std::min(due_[p & mask_], above) : above;
    }
    return play_out(now, now, out);
  }
  if (choice_) return begin_choice(now, out);
  std::uint64_t reached = is_kept(first_held_) ? first_held_ : first_held_ - 1;
  for (std::uint64_t p = first_held_ + 1; p <= head_; ++p) {
    if (!is_kept(p)) continue;
    if (p > reached + 1) jumps_.push(reached + 1, p, now);
    reached = p;
  }
  attention_ |= kGap;
  release_run(now, out);
  gap_closed_or_moved(now, out);
  close_passed(now, out);
}

// A packet that was counted already, offered to the new epoch.
void MergeWindow::resume(const Arrival& a, MergeOutlet& out) noexcept {
  if (!started()) return offer_starting(a, out);
  const std::uint64_t position = position_of(a);
  if (is_wanted(a, position, out)) place_any(a, position, out);
}

}  // namespace castgate
