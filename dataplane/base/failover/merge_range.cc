// SPDX-License-Identifier: Apache-2.0
// Packets of several positions: market data, where a datagram holds messages and each leg may put
// them into datagrams of its own. A packet kept in the window takes the first free slot of its
// positions; the others name that slot. A heartbeat takes the slot of the position it announces.
#include <algorithm>
#include <bit>

#include "dataplane/base/failover/merge_window.h"
#include "dataplane/base/failover/range_bits.h"

namespace castgate {

void MergeWindow::note_range(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  LegTrack& leg = legs_[a.leg];
  const unsigned count = positions_in(a);
  if (!leg.seen) {
    // A heartbeat says that the leg has sent all before it: nothing there will be missed.
    first_seen(a, count == 0 ? position - 1 : position, out);
    if (count > 1) forward_range(a.leg, position + 1, count - 1);
    return;
  }
  if (position + kNear > highest_of(a.leg)) leg.first = std::min(leg.first, position);
  forward_range(a.leg, position, count);
  if (!leg.live) revive(a, out);
}

// The leg has brought [position, position + count).
void MergeWindow::forward_range(unsigned leg, std::uint64_t position, unsigned count) noexcept {
  const std::uint64_t highest = highest_of(leg);
  const auto step = static_cast<std::int64_t>(position - highest);
  const std::int64_t beyond = step + static_cast<std::int64_t>(count) - 1;
  if (step <= 0) {
    // What lies under its highest position.
    const auto behind = static_cast<std::uint64_t>(beyond < 0 ? -beyond : 0);
    const auto old = static_cast<std::uint64_t>(std::min<std::int64_t>(count, 1 - step));
    recent_of(leg) |= shifted(low_bits(old), behind);
    if (beyond <= 0) return;
  }
  std::uint64_t fresh = step <= 0 ? static_cast<std::uint64_t>(beyond) : count;
  if (step > 1 || (step == 1 && count == 0)) {
    // As far as the position before the new ones, which did not come.
    const auto skipped = static_cast<std::uint64_t>(step - 1);
    if (skipped != 0) forward_step(leg, highest + skipped, skipped);
    if (skipped != 0) recent_of(leg) &= ~1ull;
  }
  while (fresh != 0) {
    const std::uint64_t by = std::min<std::uint64_t>(fresh, 64);
    const std::uint64_t hi = highest_of(leg);
    const std::uint64_t absent = ~recent_of(leg) & (by == 64 ? ~0ull : ~(~0ull >> by));
    lose_absent(leg, hi, absent);
    recent_of(leg) = shifted(recent_of(leg), by) | low_bits(by);
    hi_of(leg) += static_cast<std::uint32_t>(by);
    fresh -= by;
  }
}

void MergeWindow::place_range(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  const unsigned count = positions_in(a);
  if (count == 0) return place_heartbeat(a, position, out);
  std::uint64_t end = position + count;
  if (const std::uint64_t at = next_sample(position); at < end) milestone(a, at, out);
  if (arrival_) return place_range_arrival(a, position, out);
  if (end <= next_out_) return past_range(a, position, out);
  std::uint64_t begin = std::max(position, next_out_);
  make_room_for_range(begin, end, a.now, out);
  begin = std::max(begin, next_out_);
  note_fills(a.leg, begin, end);
  if (!find_place(begin, end, out)) return out.discard(a.packet, MergeDrop::Redundant);
  if (begin != next_out_) return hold_range(a, position, begin, end, out);
  report_gap(a.now, out);
  void* packet = piece(a, position, begin, end, out);
  advance(end);
  head_ = std::max(head_, end - 1);
  out.forward(packet);
  if ((attention_ & kGap) == 0) return;
  release_run(a.now, out);
  gap_closed_or_moved(a.now, out);
  close_passed(a.now, out);
}

void MergeWindow::hold_range(const Arrival& a, std::uint64_t position, std::uint64_t begin,
                             std::uint64_t end, MergeOutlet& out) noexcept {
  open_gap(begin, a.now);
  head_ = std::max(head_, end - 1);
  store_range(piece(a, position, begin, end, out), begin, end, out);
  close_passed(a.now, out);
}

void MergeWindow::keep_range_for_start(const Arrival& a, std::uint64_t position,
                                       MergeOutlet& out) noexcept {
  if (arrival_) {
    first_ = position;
    begin(a.now, out);
    return place_range(a, position, out);
  }
  const std::uint64_t reach = window() / 2;
  std::uint64_t from = position;
  std::uint64_t end = position + positions_in(a);
  const bool fits = position + reach > head_ && end < first_held_ + reach;
  const bool all =
      std::ranges::all_of(legs_, [](const LegTrack& leg) { return leg.seen || leg.unwanted; });
  if (!fits || !out.may_hold()) {
    begin(a.now, out);
    return place_range(a, position, out);
  }
  const bool heartbeat = from == end;
  note_fills(a.leg, from, end);
  if (heartbeat ? is_packet(slot(from)) || is_covered(slot(from)) : !find_place(from, end, out)) {
    out.discard(a.packet, MergeDrop::Redundant);
  } else {
    first_held_ = std::min(first_held_, from);
    head_ = std::max(head_, end - 1);
    store_range(heartbeat ? a.packet : piece(a, position, from, end, out), from, end, out);
  }
  if (all) begin(a.now, out);
}

// All of it is behind the stream.
void MergeWindow::past_range(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  const std::uint64_t end = position + positions_in(a);
  LegTrack& leg = legs_[a.leg];
  if (end <= first_ || next_out_ - end > window() / 2) {
    ++leg.late;
    return out.discard(a.packet, MergeDrop::Late);
  }
  for (std::uint64_t p = std::max(position, first_); p < end; ++p) {
    if (fate(p) == Fate::Released) continue;
    ++leg.late_after_release;
    return out.discard(a.packet, MergeDrop::LateAfterRelease);
  }
  out.discard(a.packet, MergeDrop::Redundant);
}

void MergeWindow::place_any(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  if (legs_[a.leg].unwanted) return refuse(a, out);
  if (!started()) return keep_for_start(a, position, out);
  if (ranges_) return place_range(a, position, out);
  if (due_) return place_playout(a, position, out);
  if (choice_) return place_choice(a, position, out);
  place(a, position, out);
}

}  // namespace castgate
