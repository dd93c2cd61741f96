// SPDX-License-Identifier: Apache-2.0
// How a stream starts, what a far-off position must do to be believed, and how a new epoch begins.
#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/base/failover/merge_window.h"

namespace castgate {
namespace {

constexpr std::uint64_t kFollows = 16;  // positions by which a confirming packet may be ahead

}  // namespace

void MergeWindow::reset_positions() noexcept {
  next_out_ = origin_;
  head_ = origin_ - 1;
  held_ = 0;
  recent_ = 0;
  attention_ |= kStarting;
  attention_ &= static_cast<std::uint8_t>(~(kGap | kIdle));
  start_deadline_ = kNever;
  next_check_ = kNever;
  holes_ = 0;
  fills_ = 0;
  closed_below_ = 0;
  words_end_ = 0;
  unrecovered_before_ = totals_.unrecovered;
  jumps_.clear();
  if (arrival_) std::fill_n(words_.get(), window() / 64, 0);
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    legs_[leg].seen = false;
    legs_[leg].live = false;
    hi_of(leg) = static_cast<std::uint32_t>(origin_ - (1u << 30));  // no packet is next to it
    recent_of(leg) = ~0ull;
  }
}

// Whatever is not a two-leg stream in the middle of its epoch.
void MergeWindow::offer_rare(const Arrival& a, MergeOutlet& out) noexcept {
  count_general(a);
  if ((attention_ & kIdle) != 0) {
    attention_ &= static_cast<std::uint8_t>(~kIdle);
    next_check_ = a.now + config_.max_skew;
    want(next_check_);
  }
  if (!started()) return offer_starting(a, out);
  if (a.epoch != epoch_) return suspect(a, Candidate::kMost, out);
  resume(a, out);
}

// Until every leg was seen, or max_skew has passed, packets are kept: the stream begins at the
// lowest position of all. In Arrival it begins at once, and lower positions still count as new.
void MergeWindow::offer_starting(const Arrival& a, MergeOutlet& out) noexcept {
  const bool first = start_deadline_ == kNever;
  if (first) {
    epoch_ = a.epoch;
    next_out_ = origin_ + a.raw;
    head_ = next_out_;
    first_held_ = next_out_;
    start_deadline_ = a.now + config_.max_skew;
    want(start_deadline_);
  }
  if (a.epoch != epoch_) return suspect(a, Candidate::kMost, out);
  const std::uint64_t position = extend(a.raw);
  if (!odd_step(a, position, out)) return;
  if (arrival_) {
    first_ = position;
    begin(a.now, out);
    return place(a, position, out);
  }
  const std::uint64_t reach = window() / 2;
  const bool fits = position + reach > head_ && position < first_held_ + reach && out.may_hold();
  if (!fits || is_packet(slot(position))) {
    if (!fits) ++legs_[a.leg].late;
    return out.discard(a.packet, fits ? MergeDrop::Redundant : MergeDrop::Late);
  }
  first_held_ = std::min(first_held_, position);
  head_ = std::max(head_, position);
  store(a.packet, position, out);
  if (due_) due_[position & mask_] = a.now + std::max(config_.playout_delay, config_.max_skew);
  const bool all = std::ranges::all_of(legs_, [](const LegTrack& leg) { return leg.seen; });
  if (all) begin(a.now, out);
}

void MergeWindow::begin(Instant now, MergeOutlet& out) noexcept {
  attention_ &= static_cast<std::uint8_t>(~kStarting);
  checked_next_out_ = next_out_;
  next_check_ = now + std::max(config_.max_skew, config_.epoch_hold);
  want(next_check_);
  if (arrival_) return;
  next_out_ = first_held_;
  first_ = first_held_;
  if (due_) {
    for (std::uint64_t p = head_; p-- > first_held_;) {
      const Instant above = due_[(p + 1) & mask_];
      due_[p & mask_] = is_packet(slot(p)) ? std::min(due_[p & mask_], above) : above;
    }
    return play_out(now, out);
  }
  std::uint64_t reached = first_held_;
  for (std::uint64_t p = first_held_ + 1; p <= head_; ++p) {
    if (!is_packet(slot(p))) continue;
    if (p > reached + 1) jumps_.push(reached + 1, p, now);
    reached = p;
  }
  attention_ |= kGap;
  release_run(now, out);
  gap_closed_or_moved(now, out);
  close_passed(now, out);
}

// Keeps a packet that is too odd to act on. A run of `needed` in sequence is believed: as a jump of
// this leg when two are enough, as a new epoch when it takes four.
void MergeWindow::suspect(const Arrival& a, unsigned needed, MergeOutlet& out) noexcept {
  Candidate& candidate = legs_[a.leg].candidate;
  const std::uint64_t distance = (a.raw - candidate.last_raw) << shift_ >> shift_;
  const bool follows = candidate.count != 0 && candidate.kept[0].epoch == a.epoch &&
                       distance != 0 && distance <= kFollows;
  if (!follows) drop_candidates(a.leg, out);
  candidate.last_raw = a.raw;
  if (candidate.count == Candidate::kMost) {
    ++legs_[a.leg].other_epoch;
    out.discard(a.packet, MergeDrop::OtherEpoch);
  } else {
    candidate.kept[candidate.count++] = a;
    ++suspended_;
    out.held_changed(1);
  }
  if (candidate.count < needed) return;
  if (needed < Candidate::kMost) return accept_candidates(a.leg, out);
  confirm_epoch(a, out);
}

void MergeWindow::confirm_epoch(const Arrival& a, MergeOutlet& out) noexcept {
  LegTrack& leg = legs_[a.leg];
  if (!leg.candidate.confirmed) {
    leg.candidate.confirmed = true;
    leg.candidate.progress = next_out_ + head_;
    leg.candidate.quiet_since = leg.candidate.kept[0].now;
    leg.live = false;
    leg.diverged = true;
    ++leg.state_changes;
    out.leg_changed(config_.tag, a.leg, MergeOutlet::LegChange::Diverged, a.now);
  }
  if (may_switch(a.leg, a.now)) switch_epoch(a.epoch, a.now, out);
}

// A new epoch is the stream's when no live leg is in the old one any more, or the old one is mute.
bool MergeWindow::may_switch(unsigned leg, Instant now) noexcept {
  if (std::ranges::none_of(legs_, [](const LegTrack& l) { return l.live; })) return true;
  Candidate& candidate = legs_[leg].candidate;
  if (candidate.progress != next_out_ + head_) {
    candidate.progress = next_out_ + head_;
    candidate.quiet_since = now;
  }
  return now - candidate.quiet_since >= config_.epoch_hold;
}

void MergeWindow::drop_candidates(unsigned leg, MergeOutlet& out) noexcept {
  LegTrack& track = legs_[leg];
  const unsigned count = std::exchange(track.candidate.count, 0);
  track.candidate.confirmed = false;
  suspended_ -= count;
  out.held_changed(-static_cast<int>(count));
  for (unsigned i = 0; i < count; ++i) {
    const Arrival& kept = track.candidate.kept[i];
    const bool other = kept.epoch != epoch_;
    ++(other ? track.other_epoch : track.wild_sequence);
    out.discard(kept.packet, other ? MergeDrop::OtherEpoch : MergeDrop::WildSequence);
  }
}

// The leg really is where its last two packets say.
void MergeWindow::accept_candidates(unsigned leg, MergeOutlet& out) noexcept {
  Candidate& candidate = legs_[leg].candidate;
  const unsigned count = std::exchange(candidate.count, 0);
  const std::array<Arrival, Candidate::kMost> kept = candidate.kept;
  suspended_ -= count;
  out.held_changed(-static_cast<int>(count));
  if (count != 0 && !legs_[leg].live) set_live(leg, true, kept[count - 1].now, out);
  for (unsigned i = 0; i < count; ++i) {
    const std::uint64_t position = extend(kept[i].raw);
    const auto step = static_cast<std::int32_t>(static_cast<std::uint32_t>(position) - hi_of(leg));
    if (!legs_[leg].seen) {
      first_seen(kept[i], position, out);
    } else if (step > 0) {
      forward_step(leg, position, static_cast<std::uint64_t>(step));
    }
    Arrival now_accepted = kept[i];
    now_accepted.now = kept[count - 1].now;
    place_any(now_accepted, position, out);
  }
}

// Ends the old numbering and starts anew with what the legs brought of the new one.
void MergeWindow::switch_epoch(std::uint32_t epoch, Instant now, MergeOutlet& out) noexcept {
  if (arrival_) close_arrival_gaps(now, UINT64_MAX, out);
  if ((attention_ & kPlayout) != 0) play_out(kNever, out);
  while ((attention_ & kGap) != 0) close_oldest(GapCause::Restart, now, out);
  for (unsigned leg = 0; leg < legs_.size() && started(); ++leg) settle_leg(leg);
  totals_.forwarded_before = forwarded();
  ++totals_.restarts;
  origin_ = ((std::max(next_out_, head_) >> 32) + 2) << 32;
  reset_positions();
  out.epoch_changed(config_.tag, epoch, now);
  std::array<Arrival, 8 * Candidate::kMost> waiting{};
  std::size_t count = 0;
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    Candidate& candidate = legs_[leg].candidate;
    legs_[leg].diverged = false;
    if (candidate.count == 0 || candidate.kept[0].epoch != epoch || !candidate.confirmed) continue;
    for (unsigned i = 0; i < candidate.count; ++i) waiting[count++] = candidate.kept[i];
    suspended_ -= candidate.count;
    out.held_changed(-static_cast<int>(candidate.count));
    candidate.count = 0;
    candidate.confirmed = false;
  }
  for (std::size_t i = 0; i < count; ++i) {
    waiting[i].now = now;
    resume(waiting[i], out);
  }
}

// A packet that was counted already, offered to the new epoch.
void MergeWindow::resume(const Arrival& a, MergeOutlet& out) noexcept {
  if (!started()) return offer_starting(a, out);
  const std::uint64_t position = extend(a.raw);
  if (!odd_step(a, position, out)) return;
  place_any(a, position, out);
}

void MergeWindow::place_any(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  if ((attention_ & kPlayout) != 0) return place_playout(a, position, out);
  place(a, position, out);
}

}  // namespace castgate
