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

// Few enough for an hour of silence not to upset the mean.
constexpr std::int64_t kLongestInterval = 1'000'000'000;

}  // namespace

FingerprintMerge::FingerprintMerge(const MergeConfig& config)
    : config_(config),
      ordered_(config.release == MergeRelease::Ordered),
      list_(static_cast<std::uint32_t>(config.window)),
      tracks_(config.legs) {
  for (std::size_t i = 0; i < repeated_.size(); ++i) repeated_[i] = i + 1;  // none of that place
}

void FingerprintMerge::offer(const Arrival& a, MergeOutlet& out) noexcept {
  Leg& leg = legs_[a.leg];
  ++leg.packets;
  leg.bytes += a.bytes;
  forget_expired(a.now, out);
  heard(a, out);
  const std::uint32_t slot = match(a);
  if (slot == kNone) {
    offer_new(a, out);
  } else if (list_[slot].repeated && is_blind(leg, a.now) && !(leg.met && is_next(leg, slot))) {
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
        (!list_[next].repeated || (blind ? leg.met : nearer(a, next, distance)))) {
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
    if (payload.fingerprint != a.raw || payload.dropped) return;
    if ((payload.legs & bit(a.leg)) != 0) return;
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
  const std::int64_t due = due_of(list_[slot]);
  const std::int64_t off = std::abs(a.now.ns - leg.lag - due);
  if (due == kUnknown || off > distance) return false;
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
  bool in_turn = true;
  sample(a, slot);
  if (!leg.begun || is_after(payload.rank, leg.rank)) {
    learn_lag(a, payload, out);
    if (!leg.begun) leg.first = payload.rank;
    leg.begun = true;
    leg.behind = 0;
    leg.cursor = slot;
    leg.rank = payload.rank;
  } else {
    in_turn = behind_cursor(a, slot, out);
  }
  payload.legs |= bit(a.leg);
  const unsigned told = in_turn ? payload.legs : payload.legs & ~unsigned{bit(a.leg)};
  for (unsigned legs = told; legs != 0; legs &= legs - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(legs));
    Leg& one = legs_[index];
    if (tracks_[index].diverged) [[unlikely]]
      set_apart(index, false, a.now, out);
    if (!one.met || is_after(payload.rank, one.certain)) one.certain = payload.rank;
    one.met = true;
    one.alone = 0;
    one.met_at = a.now;
  }
  out.discard(a.packet, MergeDrop::Redundant);
}

void FingerprintMerge::offer_new(const Arrival& a, MergeOutlet& out) noexcept {
  Leg& leg = legs_[a.leg];
  const std::int64_t due = due_of(a);
  ++leg.alone;
  leg.behind = 0;
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
    if (last_due_ != 0) interval_ += (passed - interval_) / (interval_ == 0 ? 1 : kSmooth);
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

// Every 64th payload shows who was first and by how much.
void FingerprintMerge::sample(const Arrival& a, std::uint32_t slot) noexcept {
  if ((slot & 63) != 0) return;
  const Payload& payload = list_[slot];
  LegTrack& track = tracks_[a.leg];
  track.skew.add(static_cast<std::uint64_t>((a.now - payload.at).count()));
  if (payload.legs == bit(a.leg)) ++track.first_wins;
}

}  // namespace castgate
