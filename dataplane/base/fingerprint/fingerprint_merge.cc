// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/fingerprint/fingerprint_merge.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

namespace castgate {
namespace {

constexpr unsigned kLookAhead = 32;  // payloads after a leg's cursor that are looked at in order
constexpr unsigned kLookBack = 64;   // and of one fingerprint, from the newest on
constexpr std::int64_t kShortest = 1000;  // nanoseconds: what two clocks may differ by
constexpr std::int64_t kSmooth = 8;
constexpr std::int64_t kJump = 8;  // deviations: more is another path, not jitter

// Few enough for an hour of silence not to upset the mean.
constexpr std::int64_t kLongestInterval = 1'000'000'000;

}  // namespace

FingerprintMerge::FingerprintMerge(const MergeConfig& config)
    : config_(config),
      ordered_(config.release == MergeRelease::Ordered),
      list_(static_cast<std::uint32_t>(config.window)),
      tracks_(config.legs) {}

void FingerprintMerge::offer(const Arrival& a, MergeOutlet& out) noexcept {
  Leg& leg = legs_[a.leg];
  ++leg.packets;
  leg.bytes += a.bytes;
  forget_expired(a.now, out);
  heard(a, out);
  const std::uint32_t slot = match(a);
  if (slot == kNone) {
    offer_new(a, out);
  } else if (list_[slot].repeated && is_blind(legs_[a.leg], a.now)) {
    list_[slot].legs |= bit(a.leg);
    out.discard(a.packet, MergeDrop::Redundant);
  } else {
    offer_known(a, slot, out);
  }
  if (ordered_) release_passed(a.now, out);
}

// The payload that this packet is a copy of. What the leg's next one is costs no search.
std::uint32_t FingerprintMerge::match(const Arrival& a) const noexcept {
  const Leg& leg = legs_[a.leg];
  const bool blind = is_blind(leg, a.now);
  if (leg.begun) {
    const std::uint32_t next = list_.after(leg.cursor);
    std::int64_t distance = tolerance(leg);
    if (next != kNone && list_[next].fingerprint == a.raw && (list_[next].legs & bit(a.leg)) == 0 &&
        (!list_[next].repeated || (!blind && nearer(a, next, distance)))) {
      return next;
    }
  }
  const std::uint32_t newest = list_.newest(a.raw);
  if (newest == kNone) return kNone;
  // A leg that has brought what nobody else has is ahead of them: so is what it brings now.
  if (list_[newest].repeated) return blind && leg.begun ? kNone : search_repeated(a, newest);
  return (list_[newest].legs & bit(a.leg)) == 0 ? newest : kNone;
}

// Of several payloads with these bytes the one whose time is nearest, once it is known how far the
// leg is behind; before that the oldest.
std::uint32_t FingerprintMerge::search_repeated(const Arrival& a,
                                                std::uint32_t newest) const noexcept {
  const Leg& leg = legs_[a.leg];
  std::int64_t distance = tolerance(leg);
  std::uint32_t found = kNone;
  const auto consider = [&](std::uint32_t slot) {
    const Payload& payload = list_[slot];
    if (payload.fingerprint != a.raw || (payload.legs & bit(a.leg)) != 0) return;
    if (leg.synced ? nearer(a, slot, distance) : a.now - payload.at <= config_.max_skew) {
      found = slot;
    }
  };
  std::uint32_t slot = newest;
  for (unsigned i = 0; i < kLookBack && slot != kNone; ++i) {
    consider(slot);
    slot = list_.next_older(slot);
  }
  if (!leg.begun || !leg.synced) return found;
  slot = list_.after(leg.cursor);
  for (unsigned i = 0; i < kLookAhead && slot != kNone; ++i) {
    consider(slot);
    slot = list_[slot].after;
  }
  return found;
}

// Is the payload's time no further off than `distance`? That then becomes its own.
bool FingerprintMerge::nearer(const Arrival& a, std::uint32_t slot,
                              std::int64_t& distance) const noexcept {
  const Leg& leg = legs_[a.leg];
  if (!leg.synced) return true;
  const std::int64_t off = std::abs(a.now.ns - leg.lag - list_[slot].due);
  if (off > distance) return false;
  distance = off;
  return true;
}

// By how much copies of one payload may differ in time: half of what lies between two payloads, or
// what the leg's jitter asks for.
std::int64_t FingerprintMerge::tolerance(const Leg& leg) const noexcept {
  return std::max({interval_ / 2, 4 * leg.deviation, kShortest});
}

void FingerprintMerge::offer_known(const Arrival& a, std::uint32_t slot,
                                   MergeOutlet& out) noexcept {
  Leg& leg = legs_[a.leg];
  Payload& payload = list_[slot];
  sample(a, slot);
  if (!leg.begun || is_after(payload.rank, leg.rank)) {
    learn_lag(a, payload);
    if (!leg.begun) leg.first = payload.rank;
    leg.begun = true;
    leg.cursor = slot;
    leg.rank = payload.rank;
  } else {
    behind_cursor(a, slot, out);
  }
  payload.legs |= bit(a.leg);
  for (unsigned legs = payload.legs; legs != 0; legs &= legs - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(legs));
    Leg& one = legs_[index];
    if (one.alone >= kAlone) [[unlikely]]
      set_apart(index, false, a.now, out);
    if (!one.met || is_after(payload.rank, one.certain)) one.certain = payload.rank;
    one.met = true;
    one.alone = 0;
  }
  out.discard(a.packet, MergeDrop::Redundant);
}

// The leg brings what it is thought to have passed. Where nothing in between was another leg's,
// too, what it brought there was put too far back: it belongs before this one. Else the leg
// reorders.
void FingerprintMerge::behind_cursor(const Arrival& a, std::uint32_t slot,
                                     MergeOutlet& out) noexcept {
  Leg& leg = legs_[a.leg];
  Payload& payload = list_[slot];
  if (leg.met && is_after(leg.certain, payload.rank)) {
    ++tracks_[a.leg].reordered;
    return;
  }
  learn_lag(a, payload);
  const bool gone = ordered_ && is_released(payload);
  for (std::uint32_t at = payload.after; at != kNone;) {
    const std::uint32_t next = list_[at].after;
    const bool last = at == leg.cursor;
    if (list_[at].legs == bit(a.leg)) {
      if (gone) {
        drop_late(a.leg, at, out);
      } else if (!is_another(a.leg, at)) {
        drop(at, MergeDrop::Redundant, out);
      } else {
        list_.move_before(at, slot);
      }
    }
    if (last) break;
    at = next;
  }
  leg.cursor = slot;
  leg.rank = payload.rank;
}

// Now that the leg's place is known: is what it alone brought not another leg's, too?
bool FingerprintMerge::is_another(unsigned leg, std::uint32_t slot) noexcept {
  const Payload& payload = list_[slot];
  if (!payload.repeated) return true;
  const std::int64_t least = tolerance(legs_[leg]);
  std::uint32_t other = list_.newest(payload.fingerprint);
  for (unsigned i = 0; i < kLookBack && other != kNone; ++i) {
    Payload& candidate = list_[other];
    if ((candidate.legs & bit(leg)) == 0 && std::abs(candidate.due - payload.due) <= least) {
      candidate.legs |= bit(leg);
      return false;
    }
    other = list_.next_older(other);
  }
  return true;
}

// How far the leg is behind, by what another leg brought first. Legs that met one another only are
// unknown as long as there is one to be compared with.
void FingerprintMerge::learn_lag(const Arrival& a, Payload& payload) noexcept {
  Leg& leg = legs_[a.leg];
  Leg& first = legs_[payload.first];
  if (!first.synced) {
    if (leg.synced) return set_lag(payload.first, payload.at.ns - (a.now.ns - leg.lag));
    for (unsigned i = 0; i < tracks_.size(); ++i) {
      if (legs_[i].synced && tracks_[i].live) return;
    }
    set_lag(payload.first, 0);
  }
  const std::int64_t lag = a.now.ns - payload.due;
  if (!leg.synced) return set_lag(a.leg, lag);
  const std::int64_t error = lag - leg.lag;
  const bool jump = std::abs(error) > std::max(kJump * leg.deviation, 2 * interval_ + kShortest);
  if (jump) {
    set_lag(a.leg, lag);
  } else {
    leg.lag += error / kSmooth;
  }
  leg.deviation += (std::abs(error) - leg.deviation) / (jump ? 64 : 16);
  tracks_[a.leg].jitter_ns = static_cast<std::uint64_t>(leg.deviation);
}

// What the leg alone brought and still waits is due by this.
void FingerprintMerge::set_lag(unsigned leg, std::int64_t lag) noexcept {
  legs_[leg].synced = true;
  legs_[leg].lag = lag;
  for (std::uint32_t slot = list_.last(); slot != kNone; slot = list_[slot].before) {
    Payload& payload = list_[slot];
    if (slot == front_ || payload.at + config_.max_skew < legs_[leg].heard_at) return;
    if (payload.first == leg) payload.due = payload.at.ns - lag;
  }
}

void FingerprintMerge::offer_new(const Arrival& a, MergeOutlet& out) noexcept {
  Leg& leg = legs_[a.leg];
  const std::int64_t due = due_of(a);
  ++leg.alone;
  if (ordered_ && late(leg, due)) {
    ++tracks_[a.leg].late_after_release;
    return out.discard(a.packet, MergeDrop::LateAfterRelease);
  }
  make_room(a.now, out);
  const std::uint32_t before = place_for(leg, due);
  const std::uint32_t slot = list_.make(a.raw);
  Payload& payload = list_[slot];
  payload.at = a.now;
  payload.due = due;
  payload.first = static_cast<std::uint8_t>(a.leg);
  payload.legs = bit(a.leg);
  list_.place_after(slot, before);
  mark_repeated(slot);
  if (payload.after == kNone && due != kUnknown) {
    const std::int64_t passed = std::clamp<std::int64_t>(due - last_due_, 0, kLongestInterval);
    if (last_due_ != 0) interval_ += (passed - interval_) / kSmooth;
    last_due_ = due;
  }
  if (!leg.begun) leg.first = payload.rank;
  leg.begun = true;
  leg.cursor = slot;
  leg.rank = payload.rank;
  sample(a, slot);
  if (!ordered_) {
    ++forwarded_;
    return out.forward(a.packet);
  }
  payload.packet = a.packet;
  ++held_;
  out.held_changed(1);
  totals_.held_max = std::max(totals_.held_max, held_);
  want(a.now + config_.max_skew);
}

// Bytes that repeat are told apart by time; those that did lately are known beforehand.
void FingerprintMerge::mark_repeated(std::uint32_t slot) noexcept {
  Payload& payload = list_[slot];
  std::uint64_t& known = repeated_[payload.fingerprint % repeated_.size()];
  payload.repeated = known == payload.fingerprint;
  const std::uint32_t older = list_.next_older(slot);
  if (older == kNone) return;
  known = payload.fingerprint;
  payload.repeated = true;
  list_[older].repeated = true;
}

// After the leg's own last, and after what was due before. Most are the newest of all.
std::uint32_t FingerprintMerge::place_for(const Leg& leg, std::int64_t due) const noexcept {
  const bool from_front = ordered_ && any_left_ && (!leg.begun || is_after(front_rank_, leg.rank));
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

// Every 64th payload shows who was first and by how much.
void FingerprintMerge::sample(const Arrival& a, std::uint32_t slot) noexcept {
  if ((slot & 63) != 0) return;
  const Payload& payload = list_[slot];
  LegTrack& track = tracks_[a.leg];
  track.skew.add(static_cast<std::uint64_t>((a.now - payload.at).count()));
  if (payload.legs == bit(a.leg)) ++track.first_wins;
}

}  // namespace castgate
