// SPDX-License-Identifier: Apache-2.0
// release: arrival, for packets of several positions.
#include <algorithm>

#include "dataplane/base/failover/merge_window.h"
#include "dataplane/base/failover/range_bits.h"

namespace castgate {

void MergeWindow::advance_arrival(std::uint64_t end, bool sent) noexcept {
  while (next_out_ < end) {
    if ((next_out_ & 63) == 0) store_word(next_out_);
    const std::uint64_t step = std::min(64 - (next_out_ & 63), end - next_out_);
    recent_ = shifted(recent_, step) | (sent ? low_bits(step) : 0);
    next_out_ += step;
  }
}

// [next_out, position) was jumped over; what comes ends at `end`.
void MergeWindow::leave_hole(std::uint64_t position, std::uint64_t end, Instant now,
                             MergeOutlet& out) noexcept {
  jumps_.push(next_out_, position, now);
  want(now + config_.max_skew);
  holes_ += position - next_out_;
  close_arrival_gaps(now - Nanoseconds{1}, end - window() / 2, now, out);
  advance_arrival(position, false);
}

// Those of the packet's positions that are missing leave: the last run of them is returned, each
// before it goes as a copy.
PositionRun MergeWindow::fill_holes(const Arrival& a, std::uint64_t position, std::uint64_t end,
                                    MergeOutlet& out) noexcept {
  PositionRun run;
  for (std::uint64_t p = position; p < end; ++p) {
    if (word_bit(p) || p < closed_below_) continue;
    set_word_bit(p);
    ++fills_;
    note_fill(a.leg, p);
    if (run.end != p) {
      send_copy(a, position, run, out);
      run.begin = p;
    }
    run.end = p + 1;
  }
  return run;
}

void MergeWindow::send_copy(const Arrival& a, std::uint64_t position, const PositionRun& run,
                            MergeOutlet& out) noexcept {
  if (run.begin == run.end || !config_.trim) return;
  void* copy = out.copy(config_.tag, a.packet);
  if (copy == nullptr) return;
  totals_.trimmed -= run.end - run.begin;  // piece() takes it for cut off
  out.cut(config_.tag, copy, static_cast<unsigned>(run.begin - position),
          static_cast<unsigned>(run.end - run.begin));
  out.forward(copy);
}

// New positions leave at once. Where they are not in one piece, each but the last goes as a copy.
void MergeWindow::place_range_arrival(const Arrival& a, std::uint64_t position,
                                      MergeOutlet& out) noexcept {
  LegTrack& leg = legs_[a.leg];
  const std::uint64_t end = position + positions_in(a);
  if (position < next_out_ && next_out_ - position > window() / 2) {
    ++leg.late;
    return out.discard(a.packet, MergeDrop::Late);
  }
  if (position > next_out_) {
    leave_hole(position, end, a.now, out);
  } else if (!jumps_.empty()) {
    close_arrival_gaps(a.now - Nanoseconds{1}, std::max(end, next_out_) - window() / 2, a.now, out);
  }
  PositionRun run = fill_holes(a, position, std::min(end, next_out_), out);
  if (end > next_out_) {
    if (run.end != next_out_) {
      send_copy(a, position, run, out);
      run.begin = next_out_;
    }
    run.end = end;
    advance_arrival(end, true);
  }
  if (run.begin != run.end) return out.forward(piece(a, position, run.begin, run.end, out));
  bool given_up = false;
  for (std::uint64_t p = position; p < end; ++p) given_up = given_up || !word_bit(p);
  if (given_up) ++leg.late_after_release;
  out.discard(a.packet, given_up ? MergeDrop::LateAfterRelease : MergeDrop::Redundant);
}

}  // namespace castgate
