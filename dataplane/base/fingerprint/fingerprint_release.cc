// SPDX-License-Identifier: Apache-2.0
// What leaves and when, what is forgotten, and which legs are waited for.
#include <algorithm>
#include <bit>

#include "dataplane/base/fingerprint/fingerprint_merge.h"

namespace castgate {
namespace {

constexpr Nanoseconds kShortestCheck{20'000'000};
constexpr std::uint64_t kMoved = 16;  // payloads without a leg before it is silent

}  // namespace

// It belongs before what has left already.
void FingerprintMerge::drop_late(unsigned leg, std::uint32_t slot, MergeOutlet& out) noexcept {
  if (is_released(list_[slot])) return;
  ++tracks_[leg].late_after_release;
  drop(slot, MergeDrop::LateAfterRelease, out);
}

void FingerprintMerge::drop(std::uint32_t slot, MergeDrop reason, MergeOutlet& out) noexcept {
  Payload& payload = list_[slot];
  if (is_released(payload)) return;
  out.discard(payload.packet, reason);
  payload.packet = nullptr;
  payload.dropped = true;
  --held_;
  out.held_changed(-1);
}

// Would it belong before what has left already?
bool FingerprintMerge::late(const Leg& leg, std::int64_t due) const noexcept {
  if (!any_left_ || !leg.synced) return false;
  if (leg.begun && !is_after(front_rank_, leg.rank)) return false;
  return due < front_due_ - tolerance(leg);
}

void FingerprintMerge::release(std::uint32_t slot, Instant now, MergeOutlet& out) noexcept {
  Payload& payload = list_[slot];
  if (!is_released(payload)) {
    totals_.hold_max_ns = std::max(totals_.hold_max_ns, (now - payload.at).count());
    out.forward(payload.packet);
    payload.packet = nullptr;
    ++forwarded_;
    --held_;
    out.held_changed(-1);
  }
  any_left_ = true;
  front_ = slot;
  front_rank_ = payload.rank;
  if (payload.due != kUnknown) front_due_ = payload.due;
}

void FingerprintMerge::release_through(std::uint32_t slot, Instant now, MergeOutlet& out) noexcept {
  while (!is_released(list_[slot])) release(list_.after(front_), now, out);
}

bool FingerprintMerge::passed_by_all(const Payload& payload) const noexcept {
  for (unsigned legs = awaited_ & ~unsigned{payload.legs}; legs != 0; legs &= legs - 1) {
    const Leg& leg = legs_[static_cast<unsigned>(std::countr_zero(legs))];
    if (!leg.met || !is_after(leg.certain, payload.rank)) return false;
  }
  return true;
}

void FingerprintMerge::release_passed(Instant now, MergeOutlet& out) noexcept {
  while (held_ != 0) {
    const std::uint32_t next = list_.after(front_);
    const Payload& payload = list_[next];
    if (out.may_hold() && !is_released(payload) && !passed_by_all(payload)) return;
    release(next, now, out);
  }
}

// Counted only now: a copy may come as long as it would be known as one.
void FingerprintMerge::forget_oldest(Instant now, MergeOutlet& out) noexcept {
  const std::uint32_t slot = list_.oldest();
  const Payload& payload = list_[slot];
  if (ordered_) release_through(slot, now, out);
  for (unsigned i = 0; i < tracks_.size(); ++i) {
    Leg& leg = legs_[i];
    if (leg.begun && leg.cursor == slot) leg.cursor = payload.before;
    if (payload.dropped || (payload.legs & bit(i)) != 0) continue;
    if (!leg.begun || is_after(leg.first, payload.rank)) continue;
    ++tracks_[i].lost;
    ++totals_.recovered;
  }
  if (front_ == slot) front_ = payload.before;
  list_.drop_oldest();
}

void FingerprintMerge::forget_expired(Instant now, MergeOutlet& out) noexcept {
  while (!list_.empty() && list_[list_.oldest()].at + 2 * config_.max_skew < now) {
    forget_oldest(now, out);
  }
}

// More than max_rate: what is forgotten early may come once more.
void FingerprintMerge::make_room(Instant now, MergeOutlet& out) noexcept {
  if (!list_.full()) return;
  ++totals_.gaps[static_cast<std::size_t>(GapCause::Budget)];
  forget_oldest(now, out);
}

// Of the payload that waits longest.
Instant FingerprintMerge::pending_deadline() noexcept {
  pending_ = std::max(pending_, list_.gone());
  while (pending_ < list_.made() && is_released(list_[list_.slot_of(pending_)])) ++pending_;
  if (pending_ == list_.made()) return kNever;
  return list_[list_.slot_of(pending_)].at + config_.max_skew;
}

void FingerprintMerge::tick(Instant now, MergeOutlet& out) noexcept {
  armed_ = kNever;
  if (settled_at_ <= now) {
    settled_at_ = kNever;
    wait_for(now);
  }
  if (now >= next_check_) check_silence(now, out);
  if (ordered_) {
    bool overdue = false;
    for (; pending_deadline() <= now; overdue = true) {
      release_through(list_.slot_of(pending_), now, out);
    }
    if (overdue) check_silence(now, out);
    release_passed(now, out);
    want(pending_deadline());
  }
  want(next_check_);
}

void FingerprintMerge::drain(Instant now, MergeOutlet& out) noexcept {
  while (!list_.empty()) forget_oldest(now, out);
  out.flush();
}

void FingerprintMerge::heard(const Arrival& a, MergeOutlet& out) noexcept {
  Leg& leg = legs_[a.leg];
  leg.heard_at = a.now;
  leg.heard_made = list_.made();
  LegTrack& track = tracks_[a.leg];
  if (!track.live) [[unlikely]]
    set_live(a.leg, true, a.now, out);
  const bool alone = leg.alone >= kAlone && leg.met_at + 2 * config_.max_skew < a.now;
  if (alone && !track.diverged) [[unlikely]]
    set_apart(a.leg, true, a.now, out);
  if (next_check_ == kNever) [[unlikely]] {
    next_check_ = a.now + std::max(config_.max_skew, kShortestCheck);
    want(next_check_);
  }
}

// A leg that brought nothing while the stream moved on is not waited for any longer, nor one whose
// packets are not the others'.
void FingerprintMerge::check_silence(Instant now, MergeOutlet& out) noexcept {
  bool any_heard = false;
  for (unsigned i = 0; i < tracks_.size(); ++i) {
    const Leg& leg = legs_[i];
    const bool quiet = now - leg.heard_at > config_.max_skew;
    any_heard = any_heard || !quiet;
    if (tracks_[i].live && quiet && list_.made() - leg.heard_made > kMoved) {
      set_live(i, false, now, out);
    }
  }
  next_check_ = any_heard || held_ != 0 ? now + std::max(config_.max_skew, kShortestCheck) : kNever;
  wait_for(now);
}

void FingerprintMerge::set_live(unsigned leg, bool live, Instant now, MergeOutlet& out) noexcept {
  LegTrack& track = tracks_[leg];
  const bool first_of_all = live && settled_at_ == kNever && list_.made() == 1;
  if (first_of_all) {
    settled_at_ = now + config_.max_skew;
    want(settled_at_);
  }
  // The first that is heard is the clock by which the others are behind.
  legs_[leg].lag = 0;
  legs_[leg].up_at = now;
  legs_[leg].synced = live;
  for (unsigned i = 0; i < tracks_.size(); ++i) {
    if (live && i != leg && tracks_[i].live && legs_[i].synced) legs_[leg].synced = false;
  }
  track.live = live;
  track.seen = true;
  track.diverged = false;
  ++track.state_changes;
  for (Leg& one : legs_) {
    one.alone = 0;
    one.met_at = now;
  }
  wait_for(now);
  out.leg_changed(config_.tag, leg,
                  live ? MergeOutlet::LegChange::Up : MergeOutlet::LegChange::Silent, now);
}

// Its packets are not the others', or are again.
void FingerprintMerge::set_apart(unsigned leg, bool apart, Instant now, MergeOutlet& out) noexcept {
  const auto live = std::ranges::count(tracks_, true, &LegTrack::live);
  if (apart) legs_[leg].alone = 0;  // looked at again only so much later
  if (apart == tracks_[leg].diverged || (apart && live < 2)) return;
  tracks_[leg].diverged = apart;
  wait_for(now);
  out.leg_changed(config_.tag, leg,
                  apart ? MergeOutlet::LegChange::Diverged : MergeOutlet::LegChange::Up, now);
}

void FingerprintMerge::wait_for(Instant now) noexcept {
  awaited_ = 0;
  for (unsigned i = 0; i < tracks_.size(); ++i) {
    const bool starting = !tracks_[i].seen && settled_at_ != kNever && now < settled_at_;
    if (starting || (tracks_[i].live && !tracks_[i].diverged)) awaited_ |= bit(i);
  }
}

}  // namespace castgate
