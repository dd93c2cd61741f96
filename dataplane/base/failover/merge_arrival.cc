// SPDX-License-Identifier: Apache-2.0
// release: arrival. The newest 64 positions live in recent_, older ones in a bitmap whose bit order
// is recent_'s: bit 63 - (position & 63) of its word.
#include <algorithm>

#include "dataplane/base/failover/merge_window.h"

namespace castgate {

// The 64 positions below `end`, a multiple of 64 that is next_out_, go to the bitmap.
void MergeWindow::store_word(std::uint64_t end) noexcept {
  words_[((end - 64) & mask_) >> 6] = recent_;
  words_end_ = end;
}

bool MergeWindow::word_bit(std::uint64_t position) const noexcept {
  const std::uint64_t age = next_out_ - position;
  if (age <= 64) return (recent_ >> (age - 1) & 1) != 0;
  return (words_[(position & mask_) >> 6] >> (63 - (position & 63)) & 1) != 0;
}

void MergeWindow::set_word_bit(std::uint64_t position) noexcept {
  const std::uint64_t age = next_out_ - position;
  if (age <= 64) recent_ |= 1ull << (age - 1);
  if (position < words_end_) words_[(position & mask_) >> 6] |= 1ull << (63 - (position & 63));
}

void MergeWindow::jump(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  jumps_.push(next_out_, position, a.now);
  want(a.now + config_.max_skew);
  holes_ += position - next_out_;
  close_arrival_gaps(a.now - Nanoseconds{1}, position - window() / 2, a.now, out);
  while (next_out_ < position) {
    if ((next_out_ & 63) == 0) store_word(next_out_);
    const std::uint64_t step = std::min(64 - (next_out_ & 63), position - next_out_);
    recent_ = step == 64 ? 0 : recent_ << step;
    next_out_ += step;
  }
  if ((position & 63) == 0) store_word(position);
  recent_ = recent_ << 1 | 1;
  ++next_out_;
  out.forward(a.packet);
}

void MergeWindow::past_arrival(const Arrival& a, std::uint64_t position,
                               MergeOutlet& out) noexcept {
  LegTrack& leg = legs_[a.leg];
  if (next_out_ - position > window() / 2) {
    ++leg.late;
    return out.discard(a.packet, MergeDrop::Late);
  }
  if (word_bit(position)) return out.discard(a.packet, MergeDrop::Redundant);
  if (position < closed_below_) {
    ++leg.late_after_release;
    return out.discard(a.packet, MergeDrop::LateAfterRelease);
  }
  set_word_bit(position);
  ++fills_;
  note_fill(a.leg, position);
  out.forward(a.packet);
}

// Of [from, to) what never came. Beyond the bitmap nothing did: it was jumped over just now.
void MergeWindow::give_up_missing(std::uint64_t from, std::uint64_t to, GapCause cause, Instant now,
                                  MergeOutlet& out) noexcept {
  const std::uint64_t end = std::min(to, next_out_);
  for (std::uint64_t p = from; p < to; ++p) {
    if (p < end && word_bit(p)) {
      report_gap(now, out);
      continue;
    }
    if (!run_open_) {
      run_from_ = p;
      run_cause_ = cause;
    }
    run_open_ = true;
    run_to_ = p;
    ++totals_.unrecovered;
  }
}

// What is still missing max_skew after the jump over it is counted as lost; later copies are late.
// What lies under `below` closes at once: its bits are about to be used again.
void MergeWindow::close_arrival_gaps(Instant due_by, std::uint64_t below, Instant now,
                                     MergeOutlet& out) noexcept {
  if (!jumps_.empty()) mark_legs();
  while (!jumps_.empty()) {
    const JumpRing::Jump gap = jumps_.front();
    const bool due = gap.at + config_.max_skew <= due_by;
    if (!due && gap.from >= below) break;
    const std::uint64_t to = due ? gap.to : std::min(gap.to, below);
    give_up_missing(gap.from, to, due ? GapCause::Deadline : GapCause::Budget, now, out);
    closed_below_ = to;
    if (to != gap.to) {
      jumps_.shorten(to);
      break;
    }
    report_gap(now, out);
    jumps_.pop();
  }
  if (!jumps_.empty()) want(jumps_.front().at + config_.max_skew);
}

}  // namespace castgate
