// SPDX-License-Identifier: Apache-2.0
// Packets without a position: heartbeats, and the end of a session.
#include <algorithm>
#include <utility>

#include "dataplane/base/failover/merge_window.h"

namespace castgate {

// Legs send each heartbeat once: the n-th that a leg brings is a copy of the n-th of the others.
bool MergeWindow::repeats_heartbeat(const Arrival& a, std::uint64_t position) noexcept {
  if (a.count == Located::kEnd) return std::exchange(ranges_->end_forwarded, true);
  if (position < ranges_->heartbeat_at) return true;
  if (position > ranges_->heartbeat_at) {
    ranges_->heartbeat_at = position;
    ranges_->heartbeats = 0;
    for (LegTrack& leg : legs_) leg.heartbeats = 0;
  }
  if (++legs_[a.leg].heartbeats <= ranges_->heartbeats) return true;
  ++ranges_->heartbeats;
  return false;
}

// What it announces is the stream's next position: what is missing before it was lost, and closes
// as any gap does. It leaves when all before it has.
void MergeWindow::place_heartbeat(const Arrival& a, std::uint64_t position,
                                  MergeOutlet& out) noexcept {
  if (position < next_out_ || repeats_heartbeat(a, position)) {
    return out.discard(a.packet, MergeDrop::Redundant);
  }
  if (position == next_out_) return out.forward(a.packet);
  if (!arrival_) return hold_heartbeat(a, position, out);
  leave_hole(position, position, a.now, out);
  out.forward(a.packet);
}

void MergeWindow::hold_heartbeat(const Arrival& a, std::uint64_t position,
                                 MergeOutlet& out) noexcept {
  const void* there = slot(position);
  const bool taken = is_packet(there) || is_covered(there);
  if (taken || position - next_out_ >= window() / 2 || !out.may_hold()) {
    return out.discard(a.packet, MergeDrop::Redundant);
  }
  if ((attention_ & kGap) == 0) {
    head_ = next_out_ - 1;
    first_held_ = position;
    jumps_.clear();
    want(a.now - waited_ + config_.max_skew);
  }
  if (position > head_ + 1) jumps_.push(head_ + 1, position, a.now - waited_);
  head_ = std::max(head_, position - 1);
  first_held_ = std::min(first_held_, position);
  attention_ |= kGap;
  store_range(a.packet, position, position, out);
  close_passed(a.now, out);
}

}  // namespace castgate
