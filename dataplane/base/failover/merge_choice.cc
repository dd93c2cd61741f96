// SPDX-License-Identifier: Apache-2.0
// Which copy of a position leaves, where they are not all alike: a leg is preferred, or a verdict
// was passed on them. A copy that is not the best there may be waits in its slot as an understudy.
// It leaves when no leg can bring a better one any more, and at max_skew at the latest.
#include <algorithm>
#include <utility>

#include "dataplane/base/failover/merge_window.h"

namespace castgate {
namespace {

constexpr Nanoseconds kSecond{1'000'000'000};

unsigned leg_of(std::uint8_t kept) noexcept {
  return kept & 0x0fu;
}

Grade grade_of(std::uint8_t kept) noexcept {
  return static_cast<Grade>(kept >> 4);
}

}  // namespace

// Less is better: first the verdict, then the leg.
unsigned MergeWindow::worth(unsigned leg, Grade grade) const noexcept {
  constexpr unsigned kLegs = 16;
  return static_cast<unsigned>(grade) * kLegs + choice_->switching.rank(leg);
}

unsigned MergeWindow::kept_worth(std::uint64_t position) const noexcept {
  const std::uint8_t kept = choice_->kept[position & mask_];
  return worth(leg_of(kept), grade_of(kept));
}

// A copy that is not the stream's next, or not the one that it waits for.
void MergeWindow::choose(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  if (position < next_out_) return past(a, position, out);
  if (position <= head_ && is_packet(slot(position))) return contend(a, position, out);
  if (position <= head_) note_fill(a.leg, position);
  while (position > next_out_ && (position - next_out_ >= window() / 2 || !out.may_hold())) {
    if (next_out_ <= head_) {
      settle_one(GapCause::Budget, a.now, out);
    } else {
      give_up(out.may_hold() ? position - window() / 2 + 1 : position, GapCause::Budget);
    }
  }
  pass_by(position, a.now - waited_);
  store(a.packet, position, out);
  keep_as(a, position);
  if (!out.may_hold()) return settle_one(GapCause::Budget, a.now, out);
  settle_front(a.now, out);
}

// The stream has seen `position`, and what lies before it.
void MergeWindow::pass_by(std::uint64_t position, Instant now) noexcept {
  for (std::uint64_t p = std::max(head_ + 1, next_out_); p <= position; ++p) {
    choice_->since[p & mask_] = now;
  }
  head_ = std::max(head_, position);
  attention_ |= kGap;
}

// Two copies of one position: the better one stays, of equals the first.
void MergeWindow::contend(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  if (worth(a.leg, a.grade) >= kept_worth(position)) {
    out.discard(a.packet, MergeDrop::Redundant);
  } else {
    out.discard(std::exchange(slot(position), a.packet), MergeDrop::Redundant);
    ++choice_->replaced;
    keep_as(a, position);
  }
  if (started() && !due_) settle_front(a.now, out);
}

// The copy that the stream waits for, while others wait behind or in its place.
void MergeWindow::lead(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  if (is_packet(slot(position))) {
    out.discard(std::exchange(slot(position), nullptr), MergeDrop::Redundant);
    out.held_changed(-1);
    --held_;
    ++choice_->replaced;
  } else if (position <= head_) {
    note_fill(a.leg, position);
  }
  report_gap(a.now, out);
  ++choice_->selected[a.leg];
  out.forward(a.packet);
  ++next_out_;
  recent_ = recent_ << 1 | 1;
  head_ = std::max(head_, position);
  settle_front(a.now, out);
}

// Will the leg bring no other copy of next_out?
bool MergeWindow::will_not_bring(unsigned leg) const noexcept {
  const LegTrack& track = legs_[leg];
  if (track.unwanted) return true;
  if (settling_ && !track.seen) return false;
  if (!track.live) return true;
  const auto ahead = static_cast<std::int32_t>(hi_of(leg) - static_cast<std::uint32_t>(next_out_));
  if (ahead > static_cast<std::int32_t>(config_.reorder_depth)) return true;
  return ahead >= 0 && ahead < 64 && (recent_of(leg) >> ahead & 1) != 0;
}

// May a better copy come than the one that is kept for next_out?
bool MergeWindow::better_may_come() const noexcept {
  const std::uint8_t kept = choice_->kept[next_out_ & mask_];
  const LegSwitch& legs = choice_->switching;
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    if (leg == leg_of(kept) || will_not_bring(leg)) continue;
    if (grade_of(kept) != Grade::Good || legs.rank(leg) < legs.rank(leg_of(kept))) return true;
  }
  return false;
}

bool MergeWindow::lost_by_all() const noexcept {
  bool any_live = false;
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    if (!will_not_bring(leg)) return false;
    any_live = any_live || (legs_[leg].live && !legs_[leg].unwanted);
  }
  return any_live;
}

// Lets go what waits in front for nothing any more.
void MergeWindow::settle_front(Instant now, MergeOutlet& out) noexcept {
  while (next_out_ <= head_) {
    const bool due = choice_->since[next_out_ & mask_] + config_.max_skew <= now;
    const bool kept = is_packet(slot(next_out_));
    const bool waits = kept ? better_may_come() : !lost_by_all();
    if (waits && !due) break;
    if (rescue(next_out_ + 1, now, out)) continue;
    settle_one(waits ? GapCause::Deadline : GapCause::BothLost, now, out);
  }
  settled(now, out);
}

// The first position leaves as what there is of it, or is given up.
void MergeWindow::settle_one(GapCause cause, Instant now, MergeOutlet& out) noexcept {
  const std::uint64_t position = next_out_;
  if (is_packet(slot(position))) {
    report_gap(now, out);
    const std::int64_t stay = (now - choice_->since[position & mask_]).count();
    totals_.hold_max_ns = std::max(totals_.hold_max_ns, stay);
    note_selected(position);
    out.forward(std::exchange(slot(position), nullptr));
    out.held_changed(-1);
    --held_;
    ++next_out_;
    recent_ = recent_ << 1 | 1;
  } else {
    give_up(position + 1, cause);
  }
  if (next_out_ > head_) settled(now, out);
}

void MergeWindow::settled(Instant now, MergeOutlet& out) noexcept {
  if (next_out_ <= head_) return want(choice_->since[next_out_ & mask_] + config_.max_skew);
  attention_ &= static_cast<std::uint8_t>(~kGap);
  report_gap(now, out);
}

void MergeWindow::note_selected(std::uint64_t position) noexcept {
  const std::uint8_t kept = choice_->kept[position & mask_];
  ++choice_->selected[leg_of(kept)];
  if (grade_of(kept) != Grade::Good) ++choice_->degraded;
}

void MergeWindow::begin_choice(Instant now, MergeOutlet& out) noexcept {
  for (std::uint64_t p = first_held_; p <= head_; ++p) {
    if (!is_packet(slot(p))) choice_->since[p & mask_] = now;
  }
  attention_ |= kGap;
  settle_front(now, out);
}

// A leg's good copies leave at once unless a leg that is wanted more is live, or may yet come.
void MergeWindow::free_legs() noexcept {
  if (!choice_) return;
  const LegSwitch& legs = choice_->switching;
  unsigned best = UINT8_MAX;
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    const LegTrack& track = legs_[leg];
    const bool counts = !track.unwanted && (track.live || (settling_ && !track.seen));
    if (counts) best = std::min<unsigned>(best, legs.rank(leg));
  }
  free_legs_ = 0;
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    if (legs.rank(leg) <= best) free_legs_ |= static_cast<std::uint8_t>(1u << leg);
  }
}

// Now and then: how well the legs are, and so which one is preferred.
void MergeWindow::judge_legs(Instant now, MergeOutlet& out) noexcept {
  if (now - choice_->judged_at >= kSecond) judge_second(now);
  std::array<LegHealth, 8> health{};
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    const LegTrack& track = legs_[leg];
    const bool failed = track.diverged || (track.seen && !track.live);
    health[leg] = failed ? LegHealth::Failed : choice_->seconds[leg].health;
  }
  if (choice_->switching.judge(health, now)) {
    prefer_anew(now, out);
  } else {
    free_legs();
  }
}

// How much of each leg was lost or faulty since the last look.
void MergeWindow::judge_second(Instant now) noexcept {
  choice_->judged_at = now;
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    MergeChoice::Second& last = choice_->seconds[leg];
    const std::uint64_t faulty = legs_[leg].lost + choice_->faulty[leg];
    const std::uint64_t bad = faulty - std::exchange(last.faulty, faulty);
    const std::uint64_t packets = leg_packets(leg) + legs_[leg].lost;
    const std::uint64_t all = packets - std::exchange(last.packets, packets);
    constexpr std::uint64_t kMillion = 1'000'000;
    const bool degraded =
        config_.degrade_loss_ppm != 0 && bad * kMillion > all * config_.degrade_loss_ppm;
    last.health = degraded ? LegHealth::Degraded : LegHealth::Well;
  }
}

void MergeWindow::prefer_anew(Instant now, MergeOutlet& out) noexcept {
  free_legs();
  out.leg_changed(config_.tag, choice_->switching.preferred(), MergeOutlet::LegChange::Preferred,
                  now);
  if (started() && !due_) settle_front(now, out);
}

void MergeWindow::command(unsigned leg, LegAction command, Instant now, MergeOutlet& out) noexcept {
  CG_CHECK(leg < legs_.size());
  legs_[leg].unwanted = command == LegAction::Lockout;
  const bool any = std::ranges::any_of(legs_, [](const LegTrack& l) { return l.unwanted; });
  attention_ &= static_cast<std::uint8_t>(~kLockout);
  if (any) attention_ |= kLockout;
  if (choice_ && legs_[leg].unwanted) distrust(leg);
  if (choice_ && choice_->switching.command(leg, command, now)) {
    prefer_anew(now, out);
  } else {
    free_legs();
    if (started() && !arrival_ && !due_) close_passed(now, out);
  }
}

// What is kept of this leg makes way for any other copy.
void MergeWindow::distrust(unsigned leg) noexcept {
  for (std::uint64_t p = next_out_; p <= head_; ++p) {
    std::uint8_t& kept = choice_->kept[p & mask_];
    if (is_packet(slot(p)) && leg_of(kept) == leg) {
      kept = static_cast<std::uint8_t>(leg | static_cast<unsigned>(Grade::Corrupt) << 4);
    }
  }
}

// A packet of a leg that is locked out: it counts for its leg, the stream does not have it.
void MergeWindow::refuse(const Arrival& a, MergeOutlet& out) noexcept {
  ++legs_[a.leg].locked_out;
  out.discard(a.packet, MergeDrop::LockedOut);
}

}  // namespace castgate
