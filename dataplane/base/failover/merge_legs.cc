// SPDX-License-Identifier: Apache-2.0
// What each leg delivered, lost and repeated, and which legs a gap must wait for.
#include <algorithm>
#include <bit>

#include "dataplane/base/failover/merge_window.h"

namespace castgate {
namespace {

constexpr Nanoseconds kShortestCheck{20'000'000};
constexpr unsigned kQuietChecks = 2;
// A leg can only be missed while the stream moves by more than any leg may jump.
constexpr std::uint64_t kMovedPositions = 64;

}  // namespace

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
  if ((leg.bytes += a.bytes) < a.bytes) ++legs_[a.leg].bytes_high;
}

void MergeWindow::count_malformed(unsigned leg, std::uint32_t bytes) noexcept {
  count_general({nullptr, 0, 0, bytes, leg, {}});
}

bool MergeWindow::near(std::uint64_t position) const noexcept {
  const std::uint64_t head = std::max(head_ + 1, next_out_);
  return static_cast<std::int64_t>(position - next_out_) >= -kNear &&
         static_cast<std::int64_t>(position - head) <= kNear;
}

// A packet that is not its leg's next. True when the stream may have it; else it is taken care of.
bool MergeWindow::odd_step(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  LegTrack& leg = legs_[a.leg];
  const auto from_next = static_cast<std::int64_t>(position - next_out_);
  const auto reach = static_cast<std::int64_t>(window() / 2);
  if (!leg.seen) {
    if (from_next <= -reach || from_next > reach) return suspect(a, 2, out), false;
    first_seen(a, position, out);
    return true;
  }
  const auto step = static_cast<std::int32_t>(static_cast<std::uint32_t>(position) - hi_of(a.leg));
  if (step > -kNear && step <= 0) {
    const std::uint64_t bit = 1ull << -step;
    if ((recent_of(a.leg) & bit) != 0) {
      ++leg.duplicate_same_leg;
      out.discard(a.packet, MergeDrop::DuplicateSameLeg);
      return false;
    }
    recent_of(a.leg) |= bit;
    ++leg.reordered;
    return true;
  }
  if ((step > 0 && step <= kNear) || near(position)) {
    if (step > 0) forward_step(a.leg, position, static_cast<std::uint64_t>(step));
    if (step <= 0) ++leg.reordered;
    if (!leg.live) set_live(a.leg, true, a.now, out);
    return true;
  }
  const unsigned restart = Candidate::kMost;
  suspect(a, step > 0 && from_next > -reach ? 2 : restart, out);
  return false;
}

void MergeWindow::first_seen(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  hi_of(a.leg) = static_cast<std::uint32_t>(position);
  recent_of(a.leg) = ~0ull;
  legs_[a.leg].seen = true;
  set_live(a.leg, true, a.now, out);
}

// The leg moves on by `step` positions; those between are missing so far.
void MergeWindow::forward_step(unsigned leg, std::uint64_t position, std::uint64_t step) noexcept {
  const std::uint64_t before = position - step;
  std::uint64_t missing = ~recent_of(leg);
  if (step < 64) missing &= ~(~0ull >> step);
  while (missing != 0) {
    const auto bit = static_cast<unsigned>(std::bit_width(missing)) - 1;
    lose(leg, before - bit, before - bit);
    missing ^= 1ull << bit;
  }
  if (step > 64) lose(leg, before + 1, position - 64);
  recent_of(leg) = step >= 64 ? 1 : recent_of(leg) << step | 1;
  hi_of(leg) = static_cast<std::uint32_t>(position);
}

// The leg will not deliver [from, to] any more. What left all the same was recovered; what is still
// open is counted when another leg fills it.
void MergeWindow::lose(unsigned leg, std::uint64_t from, std::uint64_t to) noexcept {
  const std::uint64_t count = to - from + 1;
  legs_[leg].lost += count;
  const std::uint64_t judged = std::min(count, window() / 2);
  for (std::uint64_t p = to + 1 - judged; p != to + 1; ++p) {
    if (fate(p) == Fate::Released) ++totals_.recovered;
  }
  const std::uint64_t older = count - judged;
  totals_.recovered += older - std::min(older, totals_.unrecovered - legs_[leg].unrecovered_mark);
}

MergeWindow::Fate MergeWindow::fate(std::uint64_t position) const noexcept {
  if (position >= next_out_) {
    return !arrival_ && is_packet(slot(position)) ? Fate::Released : Fate::Open;
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
    if (other == leg || !legs_[other].seen) continue;
    const auto past =
        static_cast<std::int32_t>(hi_of(other) - static_cast<std::uint32_t>(position));
    if (past >= 64) ++totals_.recovered;
  }
}

// How far beyond next_out the slowest live leg is.
std::int64_t MergeWindow::passed_by_all() const noexcept {
  std::int64_t least = INT64_MAX;
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    if (!legs_[leg].live) continue;
    const auto ahead =
        static_cast<std::int32_t>(hi_of(leg) - static_cast<std::uint32_t>(next_out_));
    least = std::min<std::int64_t>(least, ahead);
  }
  return least == INT64_MAX ? 0 : least;
}

void MergeWindow::set_live(unsigned leg, bool live, Instant now, MergeOutlet& out) noexcept {
  LegTrack& track = legs_[leg];
  track.quiet_checks = 0;
  track.diverged = false;
  if (track.live == live) return;
  track.live = live;
  ++track.state_changes;
  out.leg_changed(config_.tag, leg,
                  live ? MergeOutlet::LegChange::Up : MergeOutlet::LegChange::Silent, now);
}

// Now and then: a leg that brought nothing while the stream moved on is not waited for any longer.
// A stream that stands still is left alone until its next packet.
void MergeWindow::check_silence(Instant now, MergeOutlet& out) noexcept {
  const bool moved = next_out_ - checked_next_out_ > kMovedPositions;
  bool any_packet = false;
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    LegTrack& track = legs_[leg];
    const std::uint64_t packets = leg_packets(leg);
    const bool heard = packets != track.checked_packets;
    track.checked_packets = packets;
    any_packet = any_packet || heard;
    if (heard) {
      track.unrecovered_mark = totals_.unrecovered;
      if (track.seen && !track.live && !track.diverged) set_live(leg, true, now, out);
      track.quiet_checks = 0;
    } else if (moved && track.live && ++track.quiet_checks >= kQuietChecks) {
      set_live(leg, false, now, out);
    }
    const Candidate& candidate = track.candidate;
    const bool stale = candidate.count != 0 && !candidate.confirmed &&
                       candidate.kept[0].now + config_.epoch_hold + config_.max_skew < now;
    if (stale) drop_candidates(leg, out);
  }
  checked_next_out_ = next_out_;
  close_passed(now, out);
  next_check_ = now + std::max(config_.max_skew, kShortestCheck);
  if (any_packet || held() != 0) return;
  next_check_ = kNever;
  attention_ |= kIdle;
}

// At the end: what the leg has not delivered by now is lost on it.
void MergeWindow::settle_leg(unsigned leg) noexcept {
  if (!legs_[leg].seen) {
    if (next_out_ != first_) lose(leg, first_, next_out_ - 1);
    return;
  }
  const auto lag =
      static_cast<std::int32_t>(static_cast<std::uint32_t>(next_out_ - 1) - hi_of(leg));
  const std::uint64_t hi = next_out_ - 1 - static_cast<std::uint64_t>(std::int64_t{lag});
  std::uint64_t missing = ~recent_of(leg);
  while (missing != 0) {
    const auto bit = static_cast<unsigned>(std::bit_width(missing)) - 1;
    lose(leg, hi - bit, hi - bit);
    missing ^= 1ull << bit;
  }
  recent_of(leg) = ~0ull;
  if (lag <= 0) return;
  lose(leg, hi + 1, next_out_ - 1);
  hi_of(leg) = static_cast<std::uint32_t>(next_out_ - 1);
}

}  // namespace castgate
