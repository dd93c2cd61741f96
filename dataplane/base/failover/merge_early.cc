// SPDX-License-Identifier: Apache-2.0
// A packet that jumps ahead of its leg's turn may be a forgery: it opens no gap, takes no slot and
// moves no leg until its leg goes on from there. Where it proved false lately, the leg is doubted:
// its jumps need more packets, and wait whether another leg brings the position in turn.
#include <algorithm>
#include <utility>

#include "dataplane/base/failover/merge_window.h"
#include "dataplane/base/failover/range_bits.h"

namespace castgate {
namespace {

constexpr unsigned kBelieved = 4;  // packets ahead of a leg's turn, none in turn between, end it
constexpr unsigned kDoubtedBelieved = 8;
constexpr int kShort = 16;                    // positions
constexpr Nanoseconds kLongest{250'000'000};  // that a leg's pace adds to max_skew
constexpr std::int64_t kInPacket = 8;         // positions of a packet of several

}  // namespace

bool MergeWindow::guards(unsigned leg, std::uint64_t position) const noexcept {
  const auto from_next = static_cast<std::int64_t>(position - next_out_);
  const auto reach = static_cast<std::int64_t>(window() / 2);
  return early_ && started() && legs_[leg].live && from_next > -reach && from_next < reach;
}

// A short jump, to where the stream has been already, of a leg that lost nothing just before. True
// or not, nothing that the leg may still bring is lost by it: its record holds the way back, and a
// second jump is not short until that is filled.
bool MergeWindow::is_harmless(const Arrival& a, std::uint64_t position,
                              std::int64_t step) const noexcept {
  constexpr std::uint64_t kNewest = low_bits(kShort);
  return step <= kShort && position + positions_in(a) <= next_out_ && (attention_ & kEarly) == 0 &&
         (recent_of(a.leg) & kNewest) == kNewest && legs_[a.leg].trusted(a.now);
}

// Is all from the leg's highest position to this one kept for it?
bool MergeWindow::in_turn(unsigned leg, std::uint64_t position) const noexcept {
  const auto& kept = early_->of_leg[leg].kept;
  std::uint64_t next = highest_of(leg) + 1;
  for (unsigned i = 0; i < kept.size() && next < position && kept[i].position <= next; ++i) {
    next = std::max(next, kept[i].end());
  }
  return next >= position;
}

// Beyond the leg's highest position. True when the stream may have it; else it is taken care of.
bool MergeWindow::judge_ahead(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  auto& kept = early_->of_leg[a.leg].kept;
  if (!contradicts(a, position, out) && kept.size() != 0 && positions_in(a) != 0) {
    EarlyPacket& top = kept[kept.size() - 1];
    if (position < top.position) {
      ++legs_[a.leg].reordered;
      ++top.reordered;
    }
  }
  const bool crowded = kept.full() && legs_[a.leg].trusted(a.now) && position < kept[0].position;
  if (position != highest_of(a.leg) + 1 && out.may_hold() && !crowded) {
    keep_early(a, position, out);
    return false;
  }
  while (kept.size() != 0 && kept[0].position < position) take_turn(a.leg, 0, a.now, out);
  note_any(a, position, out);
  while (kept.size() != 0 && kept[0].end() <= highest_of(a.leg) + 1)
    take_turn(a.leg, 0, a.now, out);
  for (unsigned i = kept.size(); i-- != 0;) {
    kept[i].fresh = false;
    if (++kept[i].overtaken > config_.reorder_depth) discard_early(a.leg, i, a.now, out);
  }
  return true;
}

// Does the leg bring again what is kept of it? The newer is believed: forgeries come first.
bool MergeWindow::contradicts(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  bool repeats = false;
  MergeEarly::Leg& leg = early_->of_leg[a.leg];
  const std::uint64_t end = position + positions_in(a);
  for (unsigned i = leg.kept.size(); i-- != 0;) {
    if (leg.kept[i].position >= end || leg.kept[i].end() <= position) continue;
    repeats = true;
    void* packet = release_early(a.leg, i, out).packet;
    if (out.content(config_.tag, packet) != out.content(config_.tag, a.packet)) {
      legs_[a.leg].doubted_until = a.now + MergeEarly::kDoubt;
    }
    ++legs_[a.leg].duplicate_same_leg;
    out.discard(packet, MergeDrop::DuplicateSameLeg);
  }
  return repeats;
}

void MergeWindow::keep_early(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  MergeEarly::Leg& leg = early_->of_leg[a.leg];
  if (leg.kept.full()) {
    const bool farthest = position >= leg.kept[leg.kept.size() - 1].position;
    if (legs_[a.leg].trusted(a.now)) {
      take_turn(a.leg, 0, a.now, out);
    } else if (!farthest) {
      discard_early(a.leg, leg.kept.size() - 1, a.now, out);
    } else {
      legs_[a.leg].doubted_until = a.now + MergeEarly::kDoubt;
      ++legs_[a.leg].wild_sequence;
      return out.discard(a.packet, MergeDrop::WildSequence);
    }
  }
  unsigned fresh = 1;
  for (unsigned i = 0; i < leg.kept.size(); ++i) fresh += leg.kept[i].fresh ? 1 : 0;
  leg.tangled = fresh > 1 && (leg.tangled || position < leg.next);
  leg.kept.insert({.packet = a.packet,
                   .position = position,
                   .came = a.now,
                   .order = ++leg.order,
                   .count = a.count,
                   .leg = static_cast<std::uint8_t>(a.leg),
                   .grade = a.grade});
  leg.next = position + positions_in(a);
  ++early_->count;
  ++suspended_;
  out.held_changed(1);
  attention_ |= kEarly;
  want(a.now + patience(a.leg, true));
  const bool trusted = legs_[a.leg].trusted(a.now);
  const unsigned enough = std::clamp(config_.reorder_depth + 1, 2u, kBelieved);
  if (fresh < (trusted ? enough : kDoubtedBelieved)) return;
  // Where forgeries come between, the lowest is most likely true, and what goes on from there in
  // its order: no forger is behind his leg. Nor does one wild number make a leg jump so far that
  // its record would not hold the way back.
  const bool all = trusted && !leg.tangled;
  const EarlyPacket* last = nullptr;
  for (unsigned i = 0; i < leg.kept.size(); ++i) {
    const EarlyPacket& packet = leg.kept[i];
    if (last == nullptr && !packet.fresh) continue;
    const bool goes_on = last == nullptr || (all && packet.position <= last->end() + kNear / 2) ||
                         (packet.position == last->end() && packet.order > last->order);
    if (!goes_on) break;
    last = &packet;
  }
  believe(a.leg, last->position, a.now, out);
}

// How long a packet waits for its leg: max_skew and two packets of the leg, or, where the leg went
// on below it, as many as may overtake it.
Nanoseconds MergeWindow::patience(unsigned leg, bool fresh) const noexcept {
  const Nanoseconds pace{legs_[leg].pace_ns * (ranges_ ? kInPacket : 1)};
  const Nanoseconds overtaking = fresh ? Nanoseconds{} : pace * (2 + config_.reorder_depth);
  return std::max(config_.max_skew, std::min(overtaking, kLongest)) + std::min(2 * pace, kLongest);
}

EarlyPacket MergeWindow::release_early(unsigned leg, unsigned at, MergeOutlet& out) noexcept {
  --suspended_;
  out.held_changed(-1);
  if (--early_->count == 0) attention_ &= static_cast<std::uint8_t>(~kEarly);
  return early_->of_leg[leg].kept.take(at);
}

void MergeWindow::discard_early(unsigned leg, unsigned at, Instant now, MergeOutlet& out) noexcept {
  const EarlyPacket packet = release_early(leg, at, out);
  legs_[leg].doubted_until = now + MergeEarly::kDoubt;
  ++legs_[leg].wild_sequence;
  legs_[leg].reordered -= std::min<std::uint64_t>(legs_[leg].reordered, packet.reordered);
  out.discard(packet.packet, MergeDrop::WildSequence);
}

// The leg is where its packets up to this position say.
void MergeWindow::believe(unsigned leg, std::uint64_t through, Instant now,
                          MergeOutlet& out) noexcept {
  auto& kept = early_->of_leg[leg].kept;
  while (kept.size() != 0 && kept[0].position <= through) take_turn(leg, 0, now, out);
  for (unsigned i = 0; i < kept.size(); ++i) kept[i].fresh = false;
}

// The leg passes a packet that came early: it has brought it.
void MergeWindow::take_turn(unsigned leg, unsigned at, Instant now, MergeOutlet& out) noexcept {
  const EarlyPacket packet = release_early(leg, at, out);
  Candidate& candidate = legs_[leg].candidate;
  // It came before what began a new epoch: the leg did not return to the old one.
  const bool before = candidate.count != 0 && packet.came <= candidate.kept[0].now &&
                      candidate.leg_hi == hi_of(leg) && candidate.progress == progress();
  note_any(packet.arrival(epoch_, bias_), packet.position, out);
  if (before) {
    candidate.leg_hi = hi_of(leg);
    candidate.progress = progress();
  }
  // A copy that others overtook may be a forgery of one that the leg lost.
  const bool doubted = !legs_[leg].trusted(now) || (packet.overtaken != 0 && !choice_);
  const bool waits = doubted && packet.end() > next_out_ && packet.end() > packet.position &&
                     another_may_bring(leg, packet.end());
  if (!waits) return place_late(packet, now, out);
  if (early_->aside.full()) place_aside(0, now, out);
  early_->aside.insert(packet);
  ++suspended_;
  out.held_changed(1);
  want(packet.came + config_.max_skew);
}

bool MergeWindow::another_may_bring(unsigned leg, std::uint64_t end) const noexcept {
  for (unsigned other = 0; other < legs_.size(); ++other) {
    const LegTrack& track = legs_[other];
    if (other == leg || track.unwanted || !(track.live || (settling_ && !track.seen))) continue;
    if (!track.seen || highest_of(other) < end + config_.reorder_depth) return true;
  }
  return false;
}

void MergeWindow::place_late(const EarlyPacket& packet, Instant now, MergeOutlet& out) noexcept {
  Arrival a = packet.arrival(epoch_, bias_);
  const Nanoseconds before = std::exchange(waited_, now - std::exchange(a.now, now));
  place_any(a, packet.position, out);
  waited_ = before;
}

void MergeWindow::place_aside(unsigned at, Instant now, MergeOutlet& out) noexcept {
  const EarlyPacket packet = early_->aside.take(at);
  --suspended_;
  out.held_changed(-1);
  const unsigned leg = packet.leg;
  if (packet.overtaken != 0 && !legs_[leg].trusted(now) && packet.end() > next_out_) {
    ++legs_[leg].wild_sequence;
    return out.discard(packet.packet, MergeDrop::WildSequence);
  }
  place_late(packet, now, out);
}

}  // namespace castgate
