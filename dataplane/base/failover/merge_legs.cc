// SPDX-License-Identifier: Apache-2.0
// What each leg delivered, lost and repeated.
#include <algorithm>
#include <bit>

#include "dataplane/base/failover/merge_window.h"
#include "dataplane/base/failover/range_bits.h"

namespace castgate {

std::uint64_t MergeWindow::leg_packets(unsigned index) const noexcept {
  const std::uint32_t low = index < 2 ? leg_packets_[index] : extra_[index - 2].packets;
  return (legs_[index].packets_high << 32) + low;
}

std::uint64_t MergeWindow::leg_bytes(unsigned index) const noexcept {
  const std::uint32_t low = index < 2 ? leg_bytes_[index] : extra_[index - 2].bytes;
  return (legs_[index].bytes_high << 32) + low;
}

void MergeWindow::count_general(const Arrival& a) noexcept {
  if (a.leg < 2) return count(a);
  ExtraLeg& leg = extra_[a.leg - 2];
  if (++leg.packets == 0) ++legs_[a.leg].packets_high;
  leg.bytes += a.bytes;
  if (leg.bytes < a.bytes) ++legs_[a.leg].bytes_high;
}

void MergeWindow::count_malformed(unsigned leg, std::uint32_t bytes) noexcept {
  count_general({nullptr, 0, 0, bytes, leg, {}});
}

bool MergeWindow::near(std::uint64_t position) const noexcept {
  const std::uint64_t head = std::max(head_ + 1, next_out_);
  return static_cast<std::int64_t>(position - next_out_) >= -kNear &&
         static_cast<std::int64_t>(position - head) <= kNear;
}

// A hole that may still be filled: whatever the leg did meanwhile, this can do no harm.
bool MergeWindow::missing(std::uint64_t position) const noexcept {
  const std::uint64_t end = std::max(head_ + 1, next_out_);
  return position < end && end - position < window() / 2 && position >= first_ &&
         fate(position) == Fate::Open;
}

// A packet that is not its leg's next. True when the stream may have it; else it is taken care of.
bool MergeWindow::is_wanted(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  LegTrack& leg = legs_[a.leg];
  const auto from_next = static_cast<std::int64_t>(position - next_out_);
  const auto reach = static_cast<std::int64_t>(window() / 2);
  if (!leg.seen) {
    if (from_next <= -reach || from_next > reach) return suspect(a, Candidate::kMost, out), false;
    // Far ahead of the others, a corrupt number would open a gap that its deadline closes.
    const std::uint64_t head = std::max(head_ + 1, next_out_);
    if (static_cast<std::int64_t>(position - head) > kNear) return suspect(a, 2, out), false;
    note_any(a, position, out);
    return true;
  }
  const auto step = static_cast<std::int64_t>(position - highest_of(a.leg));  // 1: its next
  if (!ranges_ && (step > kNear || step <= -kNear) && is_lone(a.leg) && from_next > -reach &&
      from_next <= reach) {
    // Of a leg's first two packets that disagree the second is believed: the next one may correct
    // it again, while all that came after a corrupt first one would look like a new epoch.
    first_seen(a, position, out);
    return true;
  }
  if (repeats_itself(a, step)) {
    ++leg.duplicate_same_leg;
    out.discard(a.packet, MergeDrop::DuplicateSameLeg);
    return false;
  }
  if (step > 0 && guards(a.leg, position) && !is_harmless(a, position, step)) {
    return judge_ahead(a, position, out);
  }
  // A live leg that jumps to where another one is may have brought a corrupt number: were it true,
  // all that the leg brings from its own place would look like a new epoch.
  const bool astray = step > kNear && leg.live;
  if ((step > -kNear && step <= kNear) || (near(position) && !astray) ||
      (step <= 0 && missing(position))) {
    note_any(a, position, out);
    if (step <= 0 && positions_in(a) != 0) ++leg.reordered;
    return true;
  }
  // A jump must be confirmed; one over all that the window could fill, as a new epoch is, unless
  // the whole stream was away.
  const bool jump = step > 0 && from_next > -reach &&
                    (from_next < reach || (returning_ && may_have_lost(position, a.now)));
  suspect(a, jump ? 2 : Candidate::kMost, out);
  return false;
}

// Has the leg brought all of it already, as far as its record tells?
bool MergeWindow::repeats_itself(const Arrival& a, std::int64_t step) const noexcept {
  const unsigned count = positions_in(a);
  const auto beyond = step + static_cast<std::int64_t>(count) - 1;  // positions new from this leg
  if (count == 0 || step <= -kNear || beyond > 0) return false;
  const std::uint64_t bits = shifted(low_bits(count), static_cast<std::uint64_t>(-beyond));
  return (recent_of(a.leg) & bits) == bits;
}

// Has the leg brought one position only?
bool MergeWindow::is_lone(unsigned leg) const noexcept {
  return recent_of(leg) == 1 && highest_of(leg) == legs_[leg].first;
}

void MergeWindow::first_seen(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  hi_of(a.leg) = static_cast<std::uint32_t>(position);
  recent_of(a.leg) = 1;
  legs_[a.leg].first = position;
  legs_[a.leg].seen = true;
  set_live(a.leg, true, a.now, out);
}

void MergeWindow::note_any(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  if (ranges_) return note_range(a, position, out);
  note_position(a, position, out);
}

// The leg has brought `position` and is part of the stream.
void MergeWindow::note_position(const Arrival& a, std::uint64_t position,
                                MergeOutlet& out) noexcept {
  LegTrack& leg = legs_[a.leg];
  if (!leg.seen) return first_seen(a, position, out);
  const auto step = static_cast<std::int64_t>(position - highest_of(a.leg));
  if (step > 0) {
    forward_step(a.leg, position, static_cast<std::uint64_t>(step));
  } else if (step > -kNear) {
    recent_of(a.leg) |= 1ull << -step;
    leg.first = std::min(leg.first, position);
  }
  if (!leg.live) revive(a, out);
}

// What a leg that is back had kept is the stream's, where it fits.
void MergeWindow::revive(const Arrival& a, MergeOutlet& out) noexcept {
  set_live(a.leg, true, a.now, out);
  if (follows_candidate(a)) {
    accept_candidates(a.leg, a.now, out);
  } else {
    drop_candidates(a.leg, out);
  }
}

// A leg that is not live may be more positions behind than 31 bits can tell.
std::uint64_t MergeWindow::highest_of(unsigned leg) const noexcept {
  const LegTrack& track = legs_[leg];
  if (!track.live && static_cast<std::uint32_t>(track.left_at) == hi_of(leg)) return track.left_at;
  const auto ahead = static_cast<std::int32_t>(hi_of(leg) - static_cast<std::uint32_t>(next_out_));
  return next_out_ + static_cast<std::uint64_t>(std::int64_t{ahead});
}

std::int64_t MergeWindow::from_candidate(const Arrival& a) const noexcept {
  const Candidate& candidate = legs_[a.leg].candidate;
  return static_cast<std::int64_t>((a.raw - candidate.last_raw) << shift_) >> shift_;
}

bool MergeWindow::follows_candidate(const Arrival& a) const noexcept {
  const Candidate& candidate = legs_[a.leg].candidate;
  const std::int64_t distance = from_candidate(a);
  constexpr std::int64_t kFollows = 16;  // positions by which a confirming packet may be off
  return candidate.count != 0 && candidate.kept[0].epoch == a.epoch && distance >= -kFollows &&
         distance <= kFollows;
}

void MergeWindow::discard_candidate(const Arrival& a, MergeOutlet& out) noexcept {
  LegTrack& leg = legs_[a.leg];
  if (a.epoch != epoch_) {
    ++leg.other_epoch;
    return out.discard(a.packet, MergeDrop::OtherEpoch);
  }
  // A leg that keeps to positions behind the window's is late; anything else was never true.
  const bool late = leg.diverged && started() && position_of(a) < next_out_;
  ++(late ? leg.late : leg.wild_sequence);
  out.discard(a.packet, late ? MergeDrop::Late : MergeDrop::WildSequence);
}

// The leg moves on by `step` positions; those between are missing so far.
void MergeWindow::forward_step(unsigned leg, std::uint64_t position, std::uint64_t step) noexcept {
  const std::uint64_t before = position - step;
  std::uint64_t absent = ~recent_of(leg);
  if (step < 64) absent &= ~(~0ull >> step);
  lose_absent(leg, before, absent);
  if (step > 64) lose(leg, before + 1, position - 64);
  recent_of(leg) = step >= 64 ? 1 : recent_of(leg) << step | 1;
  hi_of(leg) = static_cast<std::uint32_t>(position);
}

// Bit i of `absent`: the leg did not bring position `highest` - i.
void MergeWindow::lose_absent(unsigned leg, std::uint64_t highest, std::uint64_t absent) noexcept {
  while (absent != 0) {
    const auto top = static_cast<unsigned>(std::bit_width(absent)) - 1;
    const auto run = static_cast<unsigned>(std::countl_one(absent << (63 - top)));
    lose(leg, highest - top, highest - top + run - 1);
    absent &= low_bits(top + 1 - run);
  }
}

// The leg will not deliver [from, to] any more. What left all the same was recovered; what is still
// open is counted when another leg fills it.
void MergeWindow::lose(unsigned leg, std::uint64_t from, std::uint64_t to) noexcept {
  LegTrack& track = legs_[leg];
  if (track.seen) from = std::max(from, track.first);
  if (from > to) return;
  const std::uint64_t count = to - from + 1;
  track.lost += count;
  const std::uint64_t begin = std::clamp(told_from(), from, to + 1);
  const std::uint64_t end = std::min(to + 1, std::max(head_ + 1, next_out_));  // beyond is nothing
  for (std::uint64_t p = begin; p < end; ++p) {
    if (fate(p) == Fate::Released) ++totals_.recovered;
  }
  if (begin == from) return;
  std::uint64_t given_up = 0;
  if (track.marked_hi == hi_of(leg)) {
    const std::uint64_t above = totals_.unrecovered - track.unrecovered_mark;
    given_up = above - std::min(above, given_up_between(begin, next_out_));
  }
  const std::uint64_t older = begin - from;
  totals_.recovered += older - std::min(older, given_up);
}

// From here on slots or bits tell each position's fate: those a window further on have not come
// into their place. What is older is known by sums.
std::uint64_t MergeWindow::told_from() const noexcept {
  const std::uint64_t end = std::max(head_ + 1, next_out_) + 64;
  return end < window() ? 0 : end - window();
}

std::uint64_t MergeWindow::given_up_between(std::uint64_t from, std::uint64_t end) const noexcept {
  std::uint64_t count = 0;
  for (std::uint64_t p = std::max(from, told_from()); p < end; ++p) {
    if (fate(p) == Fate::GivenUp) ++count;
  }
  return count;
}

// Before positions are given up: how many had been below where each leg is now.
void MergeWindow::mark_legs() noexcept {
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    LegTrack& track = legs_[leg];
    if (!track.seen || track.marked_hi == hi_of(leg)) continue;
    track.marked_hi = hi_of(leg);
    track.unrecovered_mark = totals_.unrecovered - given_up_between(highest_of(leg) + 1, next_out_);
  }
}

MergeWindow::Fate MergeWindow::fate(std::uint64_t position) const noexcept {
  if (position >= next_out_ || !started()) {
    const bool kept =
        !arrival_ && position - next_out_ + window() / 2 < window() && is_kept(position);
    return kept ? Fate::Released : Fate::Open;
  }
  if (arrival_) {
    if (word_bit(position)) return Fate::Released;
    return position < closed_below_ ? Fate::GivenUp : Fate::Open;
  }
  const std::uint64_t age = next_out_ - position;
  if (age <= 64) return (recent_ >> (age - 1) & 1) != 0 ? Fate::Released : Fate::GivenUp;
  return slot(position) == given_up_mark(position) ? Fate::GivenUp : Fate::Released;
}

// `leg` brought a position that was missing: legs far past it had been charged without a verdict.
void MergeWindow::note_fill(unsigned leg, std::uint64_t position) noexcept {
  for (unsigned other = 0; other < legs_.size(); ++other) {
    if (other == leg || !legs_[other].seen || position < legs_[other].first) continue;
    if (early_ && early_->is_aside(other, position)) continue;
    if (static_cast<std::int64_t>(highest_of(other) - position) >= kNear) ++totals_.recovered;
  }
}

// At the end: what the leg has not delivered by now is lost on it, however often that is said.
void MergeWindow::settle_leg(unsigned leg) noexcept {
  if (LegTrack& track = legs_[leg]; !track.seen) {
    const std::uint64_t from = std::max(first_, track.settled);
    if (from < next_out_) lose(leg, from, next_out_ - 1);
    track.settled = next_out_;
    return;
  }
  const std::uint64_t hi = highest_of(leg);
  lose_absent(leg, hi, ~recent_of(leg));
  recent_of(leg) = ~0ull;
  if (hi + 1 >= next_out_) return;
  lose(leg, hi + 1, next_out_ - 1);
  hi_of(leg) = static_cast<std::uint32_t>(next_out_ - 1);
}

}  // namespace castgate
