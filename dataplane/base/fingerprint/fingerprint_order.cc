// SPDX-License-Identifier: Apache-2.0
// Where in the merged sequence a payload belongs: after what its own leg brought before, and among
// the other legs' by time.
#include <algorithm>
#include <bit>
#include <cstdlib>

#include "dataplane/base/fingerprint/fingerprint_merge.h"

namespace castgate {
namespace {

constexpr unsigned kLookAhead = 32;  // payloads after a leg's cursor that are looked at in order
constexpr unsigned kLookBack = 64;   // and of one fingerprint, from the newest on
constexpr unsigned kMostMoved = 1u << 14;  // payloads; a leg that is further ahead is reordered
constexpr std::int64_t kShortest = 1000;   // nanoseconds: what two clocks may differ by
constexpr std::int64_t kSmooth = 8;
constexpr std::int64_t kJump = 8;  // deviations: more is another path, not jitter

}  // namespace

// After the leg's own last, and after what was due before. Most are the newest of all.
std::uint32_t FingerprintMerge::place_for(const Leg& leg, std::int64_t due) const noexcept {
  // Ranks may be equal where much was put in one place: what has left is told by itself.
  const bool gone = leg.cursor == kNone || is_released(list_[leg.cursor]);
  const bool from_front = ordered_ && any_left_ && (!leg.begun || gone);
  const std::uint32_t least = from_front ? front_ : leg.begun ? leg.cursor : kNone;
  std::uint32_t place = least;
  for (unsigned i = 0; i < kLookAhead && (leg.begun || from_front); ++i) {
    const std::uint32_t next = list_.after(place);
    if (next == kNone || list_[next].due > due) return place;
    place = next;
  }
  const bool bounded = least != kNone;
  place = list_.last();
  while (place != kNone && list_[place].due > due &&
         (!bounded || is_after(list_[place].rank, list_[least].rank))) {
    place = list_[place].before;
  }
  return place;
}

// The leg brings what it is thought to have passed. Where no other leg says so, what it brought
// since belongs before this one. Else false: the leg reorders.
bool FingerprintMerge::behind_cursor(const Arrival& a, std::uint32_t slot,
                                     MergeOutlet& out) noexcept {
  Leg& leg = legs_[a.leg];
  const bool movable = may_move(a.leg, slot);
  const bool gone = ordered_ && is_released(list_[slot]);
  if (!movable) ++tracks_[a.leg].reordered;
  // Again and again, it is the leg's place that is wrong. What would be given up as late takes two
  // to tell, since bytes may repeat for the first time.
  const unsigned enough = !movable && leg.synced ? kLookAhead : !movable || gone ? 2 : 1;
  if (++leg.behind < enough) return false;
  leg.behind = 0;
  learn_lag(a, list_[slot], out);
  std::uint32_t target = slot;
  for (std::uint32_t at = leg.cursor; movable && at != slot;) {
    const std::uint32_t before = list_[at].before;
    if ((list_[at].legs & bit(a.leg)) != 0) target = put_before(a.leg, at, target, out);
    at = before;
  }
  leg.cursor = slot;
  leg.rank = list_[slot].rank;
  return true;
}

// May all that the leg brought after `slot` be put before it? Not what another leg brought after
// that, or after something that stays.
bool FingerprintMerge::may_move(unsigned leg, std::uint32_t slot) const noexcept {
  unsigned stay = list_[slot].legs;
  for (unsigned i = 0; i < kMostMoved && slot != legs_[leg].cursor; ++i) {
    slot = list_[slot].after;
    if (slot == kNone) return false;
    const unsigned legs = list_[slot].legs;
    if ((legs & bit(leg)) == 0) {
      stay |= legs;
    } else if ((legs & stay) != 0) {
      return false;
    }
  }
  return slot == legs_[leg].cursor;
}

// What the leg brought belongs before `target`, or is another's where bytes and time are the same.
// Returns what the leg brought before it belongs before.
std::uint32_t FingerprintMerge::put_before(unsigned leg, std::uint32_t slot, std::uint32_t target,
                                           MergeOutlet& out) noexcept {
  const std::uint32_t same = same_of_another(leg, slot);
  if (same != kNone) {
    list_[same].legs |= bit(leg);
    drop(slot, MergeDrop::Redundant, out);
    return is_after(list_[target].rank, list_[same].rank) ? same : target;
  }
  if (ordered_ && is_released(list_[target])) {
    drop_late(leg, slot, out);
    return target;
  }
  const std::uint64_t rank = list_[slot].rank;
  list_.move_before(slot, target);
  for (unsigned legs = list_[slot].legs; legs != 0; legs &= legs - 1) {
    Leg& one = legs_[static_cast<unsigned>(std::countr_zero(legs))];
    if (one.cursor == slot) one.rank = list_[slot].rank;
    if (one.certain == rank) one.certain = list_[slot].rank;
  }
  return slot;
}

std::uint32_t FingerprintMerge::same_of_another(unsigned leg, std::uint32_t slot) const noexcept {
  const Payload& payload = list_[slot];
  if (!payload.repeated || payload.legs != bit(leg) || due_of(payload) == kUnknown) return kNone;
  const std::int64_t most = tolerance(legs_[leg]);
  std::uint32_t other = list_.newest(payload.fingerprint);
  for (unsigned i = 0; i < kLookBack && other != kNone; ++i) {
    const Payload& candidate = list_[other];
    const std::int64_t due = due_of(candidate);
    const bool open = !candidate.dropped && (candidate.legs & bit(leg)) == 0;
    if (open && due != kUnknown && std::abs(due - due_of(payload)) <= most) return other;
    other = list_.next_older(other);
  }
  return kNone;
}

// How far the leg is behind, by what another leg brought first. Legs that met one another only are
// unknown as long as there is one to be compared with.
void FingerprintMerge::learn_lag(const Arrival& a, const Payload& payload,
                                 MergeOutlet& out) noexcept {
  Leg& leg = legs_[a.leg];
  Leg& first = legs_[payload.first];
  if (!first.synced) {
    if (leg.synced) return set_lag(payload.first, payload.at.ns - (a.now.ns - leg.lag), out);
    for (unsigned i = 0; i < tracks_.size(); ++i) {
      if (legs_[i].synced && tracks_[i].live) return;
    }
    set_lag(payload.first, 0, out);
  }
  const std::int64_t lag = a.now.ns - due_of(payload);
  if (!leg.synced) return set_lag(a.leg, lag, out);
  const std::int64_t error = lag - leg.lag;
  const bool jump = std::abs(error) > std::max(kJump * leg.deviation, 2 * interval_ + kShortest);
  if (jump) {
    set_lag(a.leg, lag, out);
  } else {
    leg.lag += error / kSmooth;
  }
  leg.deviation += (std::abs(error) - leg.deviation) / (jump ? 64 : 16);
  tracks_[a.leg].jitter_ns = static_cast<std::uint64_t>(leg.deviation);
}

// What the leg brought first is due by this, and what it alone brought may be another's.
void FingerprintMerge::set_lag(unsigned leg, std::int64_t lag, MergeOutlet& out) noexcept {
  legs_[leg].synced = true;
  legs_[leg].lag = lag;
  for (std::uint32_t slot = list_.last(); slot != kNone; slot = list_[slot].before) {
    Payload& payload = list_[slot];
    if (slot == front_ || payload.at + config_.max_skew < legs_[leg].heard_at) return;
    if (payload.first != leg) continue;
    payload.due = payload.at.ns - lag;
    if (!ordered_ || is_released(payload)) continue;
    const std::uint32_t same = same_of_another(leg, slot);
    if (same == kNone) continue;
    list_[same].legs |= bit(leg);
    drop(slot, MergeDrop::Redundant, out);
  }
}

}  // namespace castgate
