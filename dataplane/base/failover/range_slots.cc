// SPDX-License-Identifier: Apache-2.0
// Where packets of several positions are kept. A packet takes the first free slot of its positions,
// the others name that slot; a heartbeat takes the slot of the position that it announces.
#include <algorithm>

#include "dataplane/base/failover/merge_window.h"
#include "dataplane/base/failover/range_bits.h"

namespace castgate {

// As make_room() does for single positions.
void MergeWindow::make_room_for_range(std::uint64_t begin, std::uint64_t end, Instant now,
                                      MergeOutlet& out) noexcept {
  while (begin > next_out_ && (end - next_out_ > window() / 2 || !out.may_hold())) {
    if ((attention_ & kGap) != 0 && first_held_ < begin) {
      close_oldest(GapCause::Budget, now, out);
    } else if (!rescue(begin, now, out)) {
      give_up(out.may_hold() ? end - window() / 2 : begin, GapCause::Budget);
    }
  }
}

// Leaves of [begin, end) one piece for a packet that has it all: what is kept and reaches over
// either end stays, what is kept within makes way. False when nothing is left.
bool MergeWindow::find_place(std::uint64_t& begin, std::uint64_t& end, MergeOutlet& out) noexcept {
  if (held_ == 0) return true;
  const auto first_of = [&](std::uint64_t p) {
    return is_covered(slot(p)) ? first_covering(slot(p)) : p;
  };
  const auto end_of = [&](std::uint64_t first) { return first + ranges_->counts[first & mask_]; };
  while (is_kept(begin)) {
    const std::uint64_t first = first_of(begin);
    if (end_of(first) >= end) return false;
    if (first == begin) break;
    begin = end_of(first);
  }
  while (begin < end && is_kept(end - 1) && end_of(first_of(end - 1)) > end) {
    end = first_of(end - 1);
  }
  if (begin >= end) return false;
  for (std::uint64_t p = begin; p < end; ++p) {
    if (!is_packet(slot(p))) continue;
    out.discard(slot(p), MergeDrop::Redundant);
    unstore(p);
    --held_;
    out.held_changed(-1);
  }
  return true;
}

void MergeWindow::store_range(void* packet, std::uint64_t begin, std::uint64_t end,
                              MergeOutlet& out) noexcept {
  ranges_->counts[begin & mask_] = static_cast<std::uint16_t>(end - begin);
  for (std::uint64_t p = begin + 1; p < end; ++p) slot(p) = covered_mark(begin);
  store(packet, begin, out);
}

// Empties the slots of the packet kept at `begin`; returns how many positions it has.
unsigned MergeWindow::unstore(std::uint64_t begin) noexcept {
  const unsigned count = ranges_->counts[begin & mask_];
  slot(begin) = nullptr;
  for (std::uint64_t p = begin + 1; p < begin + count; ++p) slot(p) = nullptr;
  return count;
}

// The packet, with the positions of [begin, end) and, where it may be cut, no others.
void* MergeWindow::piece(const Arrival& a, std::uint64_t position, std::uint64_t begin,
                         std::uint64_t end, MergeOutlet& out) noexcept {
  const std::uint64_t count = end - begin;
  if (count == a.count || !config_.trim) return a.packet;
  totals_.trimmed += a.count - count;
  out.cut(config_.tag, a.packet, static_cast<unsigned>(begin - position),
          static_cast<unsigned>(count));
  return a.packet;
}

void MergeWindow::release_ranges(Instant now, MergeOutlet& out) noexcept {
  report_gap(now, out);
  int released = 0;
  do {
    void* packet = slot(next_out_);
    const unsigned count = unstore(next_out_);
    out.forward(packet);
    advance(next_out_ + count);
    ++released;
  } while (is_packet(slot(next_out_)));
  held_ -= static_cast<unsigned>(released);
  out.held_changed(-released);
}

// [next_out, end) has left.
void MergeWindow::advance(std::uint64_t end) noexcept {
  const std::uint64_t count = end - next_out_;
  recent_ = shifted(recent_, count) | low_bits(count);
  next_out_ = end;
}

// note_fill() for each of [from, to) that is behind the head and not kept already.
void MergeWindow::note_fills(unsigned leg, std::uint64_t from, std::uint64_t to) noexcept {
  for (std::uint64_t p = from; p < to && p <= head_; ++p) {
    if (!is_kept(p)) note_fill(leg, p);
  }
}

}  // namespace castgate
