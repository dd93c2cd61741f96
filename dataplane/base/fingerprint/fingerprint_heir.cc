// SPDX-License-Identifier: Apache-2.0
// Another configuration goes on with the stream.
#include <algorithm>
#include <utility>

#include "dataplane/base/fingerprint/fingerprint_merge.h"

namespace castgate {

void FingerprintMerge::take_over(FingerprintMerge& old, const Inherited& from, Instant now,
                                 MergeOutlet& out) noexcept {
  while (old.held_ != 0 && !ordered_) old.release(old.list_.after(old.front_), now, out);
  while (old.list_.size() > list_.capacity()) old.forget_oldest(now, out);
  out.flush();
  list_.take_over(old.list_);
  const auto slot_here = [&](std::uint32_t slot) { return list_.slot_in(old.list_, slot); };
  take_legs(old, from);
  for (std::uint64_t number = list_.gone(); number != list_.made(); ++number) {
    Payload& payload = list_[list_.slot_of(number)];
    payload.legs = legs_now(payload.legs, from);
    const unsigned first = from.now(payload.first, static_cast<unsigned>(tracks_.size()));
    payload.first = static_cast<std::uint8_t>(first == tracks_.size() ? 0 : first);
  }
  for (Leg& leg : legs_) leg.cursor = slot_here(leg.cursor);
  front_ = slot_here(old.front_);
  front_rank_ = old.front_rank_;
  front_due_ = old.front_due_;
  any_left_ = old.any_left_;
  pending_ = old.pending_;
  interval_ = old.interval_;
  last_due_ = old.last_due_;
  forwarded_ = old.forwarded_;
  held_ = std::exchange(old.held_, 0);
  settled_at_ = old.settled_at_;
  next_check_ = old.next_check_;
  repeated_ = old.repeated_;
  totals_ = old.totals_;
  wait_for(now);
  armed_ = kNever;
  want(now);
}

void FingerprintMerge::take_legs(FingerprintMerge& old, const Inherited& from) noexcept {
  for (unsigned leg = 0; leg < tracks_.size(); ++leg) {
    if (!from.has(leg)) continue;
    legs_[leg] = old.legs_[from.old(leg)];
    tracks_[leg] = old.tracks_[from.old(leg)];
  }
}

std::uint8_t FingerprintMerge::legs_now(std::uint8_t legs, const Inherited& from) const noexcept {
  std::uint8_t now = 0;
  for (unsigned leg = 0; leg < tracks_.size(); ++leg) {
    if (from.has(leg) && (legs & bit(from.old(leg))) != 0) now |= bit(leg);
  }
  return now;
}

}  // namespace castgate
