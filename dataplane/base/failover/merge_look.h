// SPDX-License-Identifier: Apache-2.0
// Where a merge window looks up what it knows.
#pragma once

#include "dataplane/base/failover/merge_window.h"

namespace castgate {

inline std::uint64_t& MergeWindow::recent_of(unsigned leg) noexcept {
  return leg < 2 ? leg_recent_[leg] : extra_[leg - 2].recent;
}
inline std::uint64_t MergeWindow::recent_of(unsigned leg) const noexcept {
  return leg < 2 ? leg_recent_[leg] : extra_[leg - 2].recent;
}
inline std::uint32_t& MergeWindow::hi_of(unsigned leg) noexcept {
  return leg < 2 ? leg_hi_[leg] : extra_[leg - 2].hi;
}
inline std::uint32_t MergeWindow::hi_of(unsigned leg) const noexcept {
  return leg < 2 ? leg_hi_[leg] : extra_[leg - 2].hi;
}

// Is this position itself kept? A heartbeat's slot is that of the position after it.
inline bool MergeWindow::is_kept(std::uint64_t position) const noexcept {
  const void* value = slot(position);
  if (!ranges_) return is_packet(value);
  return is_covered(value) || (is_packet(value) && ranges_->counts[position & mask_] != 0);
}

inline void MergeWindow::want(Instant at) noexcept {
  if (at >= armed_) return;
  armed_ = at;
  attention_ |= kArm;
}

inline Instant MergeWindow::arm() noexcept {
  attention_ &= static_cast<std::uint8_t>(~kArm);
  return armed_;
}

inline bool MergeWindow::may_lead(const Arrival& a) const noexcept {
  return a.grade == Grade::Good && (free_legs_ >> a.leg & 1) != 0;
}

inline void MergeWindow::keep_as(const Arrival& a, std::uint64_t position) noexcept {
  if (!choice_) return;
  const unsigned grade = static_cast<unsigned>(a.grade);
  choice_->kept[position & mask_] = static_cast<std::uint8_t>(a.leg | grade << 4);
}

inline Nanoseconds MergeWindow::playout_delay() const noexcept {
  return config_.playout_delay > config_.max_skew ? config_.playout_delay : config_.max_skew;
}

}  // namespace castgate
