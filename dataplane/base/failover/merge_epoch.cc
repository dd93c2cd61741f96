// SPDX-License-Identifier: Apache-2.0
// What a far-off position must do to be believed, and how a new epoch begins.
#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/base/failover/merge_window.h"

namespace castgate {
namespace {

constexpr unsigned kQuietPackets = 3;     // of a new epoch, before the old one counts as mute
constexpr std::uint64_t kFaster = 1'024;  // than of late a stream may have been while nothing came

}  // namespace

// Changes whenever a leg moves on in the current epoch.
std::uint64_t MergeWindow::progress() const noexcept {
  std::uint64_t sum = 0;
  for (unsigned leg = 0; leg < legs_.size(); ++leg) sum += hi_of(leg);
  return sum;
}

// Keeps a packet that is too odd to act on. A run of `needed` in sequence is believed: as a jump of
// this leg when two are enough, as a new epoch when it takes four.
void MergeWindow::suspect(const Arrival& a, unsigned needed, MergeOutlet& out) noexcept {
  LegTrack& leg = legs_[a.leg];
  Candidate& candidate = leg.candidate;
  if (!follows_candidate(a)) drop_candidates(a.leg, out);
  for (unsigned i = 0; i < candidate.count; ++i) {
    if (candidate.kept[i].raw != a.raw || positions_in(a) == 0) continue;
    ++leg.duplicate_same_leg;
    return out.discard(a.packet, MergeDrop::DuplicateSameLeg);
  }
  if (candidate.count == 0 || candidate.leg_hi != hi_of(a.leg)) candidate.run = 0;
  if (candidate.count == 0 || candidate.progress != progress()) {
    candidate.progress = progress();
    candidate.quiet_since = a.now;
    candidate.quiet = 0;
  }
  if (candidate.count == 0 || from_candidate(a) > 0) {
    candidate.last_raw = a.raw + positions_in(a) - 1;
  }
  candidate.leg_hi = hi_of(a.leg);
  candidate.last_at = a.now;
  ++candidate.run;
  ++candidate.quiet;
  const bool keeps = candidate.count != Candidate::kMost;
  if (keeps) {
    candidate.kept[candidate.count++] = a;
    ++suspended_;
    out.held_changed(1);
  }
  const bool believed = candidate.run >= needed;
  if (believed && needed < Candidate::kMost) {
    accept_candidates(a.leg, a.now, out);
  } else if (believed) {
    confirm_epoch(a, out);
  }
  if (keeps) return;
  if (!believed || candidate.count != 0) return discard_candidate(a, out);
  resume(a, out);
}

void MergeWindow::confirm_epoch(const Arrival& a, MergeOutlet& out) noexcept {
  LegTrack& leg = legs_[a.leg];
  if (!leg.candidate.confirmed) {
    leg.candidate.confirmed = true;
    settle_early(a.leg, a.now, out);
    leave(a.leg);
    leg.diverged = true;
    if (choice_) distrust(a.leg);
    leg.checked_hi = hi_of(a.leg);
    ++leg.state_changes;
    out.leg_changed(config_.tag, a.leg, MergeOutlet::LegChange::Diverged, a.now);
  }
  if (!may_switch(a.leg, a.now, out)) return;
  const bool ahead = a.epoch == epoch_ && started() && may_have_lost(position_of(a), a.now);
  if (!ahead) return switch_epoch(a.epoch, a.now, out);
  for (unsigned i = 0; i < legs_.size(); ++i) {
    const Candidate& candidate = legs_[i].candidate;
    if (candidate.confirmed && candidate.kept[0].epoch == epoch_) accept_candidates(i, a.now, out);
  }
}

// Is `position` ahead, by no more than the stream can have carried since it was last timed? What is
// further, as in 32 bits a number that begins anew at random, is no loss.
bool MergeWindow::may_have_lost(std::uint64_t position, Instant now) const noexcept {
  if (static_cast<std::int64_t>(position - next_out_) <= 0) return false;
  const LegTrack* timed = nullptr;
  for (const LegTrack& leg : legs_) {
    if (leg.pace_ns <= 0 || leg.sampled_position < first_) continue;
    if (timed == nullptr || leg.sampled_at > timed->sampled_at) timed = &leg;
  }
  if (timed == nullptr) return true;
  const auto since = static_cast<std::uint64_t>((now - timed->sampled_at).count());
  const std::uint64_t carried = since / static_cast<std::uint64_t>(timed->pace_ns);
  return position - timed->sampled_position <= window() + kFaster * (carried + 1);
}

// A new epoch is the stream's when no live leg is in the old one any more, or the old one is mute.
bool MergeWindow::may_switch(unsigned leg, Instant now, MergeOutlet& out) noexcept {
  if (legs_[leg].unwanted) return false;
  bool any_live = false;
  for (unsigned i = 0; i < legs_.size(); ++i) {
    if (legs_[i].diverged && legs_[i].candidate.leg_hi != hi_of(i)) {
      drop_candidates(i, out);
      set_live(i, true, now, out);
    }
    any_live = any_live || (legs_[i].live && !legs_[i].unwanted);
  }
  const Candidate& candidate = legs_[leg].candidate;
  return !any_live ||
         (candidate.quiet > kQuietPackets && now - candidate.quiet_since >= config_.epoch_hold);
}

void MergeWindow::drop_candidates(unsigned leg, MergeOutlet& out) noexcept {
  LegTrack& track = legs_[leg];
  const unsigned count = std::exchange(track.candidate.count, 0);
  track.candidate.confirmed = false;
  suspended_ -= count;
  out.held_changed(-static_cast<int>(count));
  for (unsigned i = 0; i < count; ++i) discard_candidate(track.candidate.kept[i], out);
}

// The leg really is where its last two packets say.
void MergeWindow::accept_candidates(unsigned leg, Instant now, MergeOutlet& out) noexcept {
  Candidate& candidate = legs_[leg].candidate;
  const unsigned count = std::exchange(candidate.count, 0);
  const std::array<Arrival, Candidate::kMost> kept = candidate.kept;
  suspended_ -= count;
  out.held_changed(-static_cast<int>(count));
  candidate.confirmed = false;
  for (unsigned i = 0; i < count; ++i) {
    Arrival accepted = kept[i];
    waited_ = now - std::exchange(accepted.now, now);
    const std::uint64_t position = position_of(accepted);
    note_any(accepted, position, out);
    place_any(accepted, position, out);
  }
  waited_ = {};
}

// Ends the old numbering and starts anew with what the legs brought of the new one.
void MergeWindow::switch_epoch(std::uint32_t epoch, Instant now, MergeOutlet& out) noexcept {
  if (!started() && held_ != 0) begin(now, out);
  settle_all_early(now, out);
  if (arrival_) close_arrival_gaps(kNever, 0, now, out);
  if (due_) play_out(kNever, now, out);
  while ((attention_ & kGap) != 0) close_oldest(GapCause::Restart, now, out);
  report_gap(now, out);
  for (unsigned leg = 0; leg < legs_.size() && started(); ++leg) settle_leg(leg);
  // What a leg keeps since it began anew alone, long ago, has left from the others meanwhile.
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    const Candidate& candidate = legs_[leg].candidate;
    const Nanoseconds age = now - candidate.kept[0].now;
    if (candidate.count != 0 && age > config_.epoch_hold + config_.max_skew) {
      drop_candidates(leg, out);
    }
  }
  const bool renumbered = epoch == epoch_;
  totals_.forwarded_before = forwarded();
  ++totals_.restarts;
  origin_ = ((std::max(next_out_, head_) >> 32) + 2) << 32;
  reset_positions();
  out.epoch_changed(config_.tag, epoch, now);
  std::array<Arrival, std::size_t{8} * Candidate::kMost> waiting{};
  std::size_t count = 0;
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    Candidate& candidate = legs_[leg].candidate;
    legs_[leg].diverged = false;
    if (candidate.count == 0 || candidate.kept[0].epoch != epoch) continue;
    if (renumbered && !candidate.confirmed) continue;
    for (unsigned i = 0; i < candidate.count; ++i) waiting[count++] = candidate.kept[i];
    suspended_ -= candidate.count;
    out.held_changed(-static_cast<int>(candidate.count));
    candidate.count = 0;
    candidate.confirmed = false;
  }
  for (std::size_t i = 0; i < count; ++i) {
    waited_ = now - std::exchange(waiting[i].now, now);
    resume(waiting[i], out);
  }
  waited_ = {};
}

}  // namespace castgate
