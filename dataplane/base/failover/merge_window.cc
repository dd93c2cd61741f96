// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/failover/merge_window.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace castgate {
namespace {

// Arrival only classifies by jumps, so a few do; the others must never merge two gaps.
constexpr std::uint64_t kArrivalJumps = 16;
constexpr std::uint64_t kFewestSamples = 16;

std::uint64_t jump_capacity(const MergeConfig& config) {
  return config.release == MergeRelease::Ordered ? config.window / 4 : kArrivalJumps;
}

}  // namespace

MergeWindow::MergeWindow(const MergeConfig& config)
    : shift_(static_cast<std::uint8_t>(64 - config.width)),
      arrival_(config.release == MergeRelease::Arrival),
      mask_(config.window - 1),
      config_(config),
      sample_mask_(std::max(config.window / 128, kFewestSamples) - 1),
      samples_(std::make_unique<PositionSample[]>(sample_mask_ + 1)),
      jumps_(jump_capacity(config)),
      legs_(config.legs) {
  static_assert(offsetof(MergeWindow, mask_) == 64, "the straight path touches one line");
  CG_CHECK(std::has_single_bit(config.window) && config.window >= 256);
  CG_CHECK(config.legs >= 1 && config.legs <= 8);
  CG_CHECK(config.width >= 16 && config.width <= 64);
  CG_CHECK(!config.ranges || config.release != MergeRelease::Playout);
  if (config.ranges || config.width > 32) attention_ |= kWide;
  if (config.ranges) {
    ranges_ = std::make_unique<MergeRanges>();
    if (!arrival_) ranges_->counts = std::make_unique<std::uint16_t[]>(config.window);
  }
  if (arrival_) {
    words_ = std::make_unique<std::uint64_t[]>(config.window / 64);
  } else {
    slots_ = std::make_unique<void*[]>(config.window);
  }
  if (config.release == MergeRelease::Playout) {
    due_ = std::make_unique<Instant[]>(config.window);
    attention_ |= kGeneral;
  }
  if (config.legs > 2) attention_ |= kGeneral;
  if (slots_ && !due_) early_ = std::make_unique<MergeEarly>(config.legs);
  CG_CHECK(config.choice == nullptr || (!config.ranges && !arrival_));
  if (config.choice != nullptr) {
    choice_ = std::make_unique<MergeChoice>(*config.choice, config.legs, config.window);
    config_.choice = nullptr;
  }
  reset_positions();
}

std::uint64_t MergeWindow::memory_bytes() const noexcept {
  const std::uint64_t positions = window();
  return sizeof *this + legs_.size() * sizeof(LegTrack) + jumps_.bytes() +
         (sample_mask_ + 1) * sizeof(PositionSample) + (words_ ? positions / 8 : 0) +
         (slots_ ? positions * sizeof(void*) : 0) + (ranges_ ? sizeof(MergeRanges) : 0) +
         (ranges_ && slots_ ? positions * sizeof(std::uint16_t) : 0) +
         (choice_ ? sizeof(MergeChoice) + positions * (1 + sizeof(Instant)) : 0) +
         (early_ ? sizeof(MergeEarly) + legs_.size() * sizeof(MergeEarly::Leg) : 0) +
         (due_ ? positions * sizeof(Instant) : 0);
}

std::uint64_t MergeWindow::forwarded() const noexcept {
  if (!started()) return totals_.forwarded_before;
  const std::uint64_t span = next_out_ - first_;
  if (arrival_) return totals_.forwarded_before + span - holes_ + fills_;
  return totals_.forwarded_before + span - (totals_.unrecovered - unrecovered_before_);
}

void MergeWindow::filled(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  report_gap(a.now, out);
  note_fill(a.leg, position);
  release_run(a.now, out);
  gap_closed_or_moved(a.now, out);
  close_passed(a.now, out);
}

void MergeWindow::past(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  if (arrival_) return past_arrival(a, position, out);
  LegTrack& leg = legs_[a.leg];
  if (position < first_ || next_out_ - position > window() / 2) {
    ++leg.late;
    return out.discard(a.packet, MergeDrop::Late);
  }
  if (fate(position) == Fate::Released) return out.discard(a.packet, MergeDrop::Redundant);
  ++leg.late_after_release;
  out.discard(a.packet, MergeDrop::LateAfterRelease);
}

void MergeWindow::hold(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  if (is_packet(slot(position)) && position - next_out_ < window() / 2) {
    return out.discard(a.packet, MergeDrop::Redundant);
  }
  if (position <= head_) note_fill(a.leg, position);
  make_room(position, a.now, out);
  if (position == next_out_) {
    ++next_out_;
    recent_ = recent_ << 1 | 1;
    head_ = std::max(head_, position);
    report_gap(a.now, out);
    out.forward(a.packet);
    release_run(a.now, out);
    return gap_closed_or_moved(a.now, out);
  }
  open_gap(position, a.now);
  store(a.packet, position, out);
  close_passed(a.now, out);
}

// A packet beyond a hole: dates the hole if it is a new one.
void MergeWindow::open_gap(std::uint64_t position, Instant now) noexcept {
  if ((attention_ & kGap) == 0) {
    head_ = next_out_ - 1;
    first_held_ = position;
    jumps_.clear();
    want(now - waited_ + config_.max_skew);
  }
  if (position > head_ + 1) jumps_.push(head_ + 1, position, now - waited_);
  head_ = std::max(head_, position);
  first_held_ = std::min(first_held_, position);
  attention_ |= kGap;
}

void MergeWindow::store(void* packet, std::uint64_t position, MergeOutlet& out) noexcept {
  slot(position) = packet;
  ++held_;
  totals_.held_max = std::max(totals_.held_max, held_);
  out.held_changed(1);
}

// Slots serve half a window ahead, so that the marks of the half behind stay readable. The packet
// budget of all streams together ends the oldest gap of the one that asks for more.
void MergeWindow::make_room(std::uint64_t position, Instant now, MergeOutlet& out) noexcept {
  while (position > next_out_ && (position - next_out_ >= window() / 2 || !out.may_hold())) {
    if ((attention_ & kGap) != 0 && first_held_ < position) {
      close_oldest(GapCause::Budget, now, out);
    } else if (!rescue(position, now, out)) {
      const bool over_budget = !out.may_hold();
      give_up(over_budget ? position : position - window() / 2 + 1, GapCause::Budget);
    }
  }
}

void MergeWindow::release_run(Instant now, MergeOutlet& out) noexcept {
  if (held_ == 0 || !is_packet(slot(next_out_))) return;
  if (ranges_) return release_ranges(now, out);
  report_gap(now, out);
  int released = 0;
  do {
    out.forward(std::exchange(slot(next_out_), nullptr));
    ++next_out_;
    recent_ = recent_ << 1 | 1;
    ++released;
  } while (is_packet(slot(next_out_)));
  held_ -= static_cast<unsigned>(released);
  out.held_changed(-released);
}

void MergeWindow::give_up(std::uint64_t end, GapCause cause) noexcept {
  if (end <= next_out_) return;
  mark_legs();
  if (!run_open_) {
    run_open_ = true;
    run_from_ = next_out_;
    run_cause_ = cause;
  }
  const std::uint64_t count = end - next_out_;
  for (std::uint64_t p = end - std::min(count, window()); p != end; ++p) {
    slot(p) = given_up_mark(p);
  }
  totals_.unrecovered += count;
  recent_ = count >= 64 ? 0 : recent_ << count;
  run_to_ = end - 1;
  next_out_ = end;
}

void MergeWindow::report_gap(Instant now, MergeOutlet& out) noexcept {
  if (!run_open_) return;
  run_open_ = false;
  ++totals_.gaps[static_cast<std::size_t>(run_cause_)];
  totals_.gap_max = std::max(totals_.gap_max, run_to_ - run_from_ + 1);
  const bool wide = (attention_ & kWide) != 0;
  const std::uint64_t base = wide ? bias_ : origin_;
  const std::uint64_t bits = wide ? ~0ull >> shift_ : ~0ull;
  out.gap(config_.tag, (run_from_ - base) & bits, (run_to_ - base) & bits, run_cause_, now);
}

// The gap in front is over: nothing is kept any more, or the next hole is in front.
void MergeWindow::gap_closed_or_moved(Instant now, MergeOutlet& out) noexcept {
  if (!jumps_.empty()) {
    totals_.hold_max_ns = std::max(totals_.hold_max_ns, (now - jumps_.front().at).count());
  }
  if (held_ == 0) {
    attention_ &= static_cast<std::uint8_t>(~kGap);
    jumps_.clear();
    return report_gap(now, out);
  }
  if (first_held_ <= next_out_) find_first_held();
  jumps_.forget_through(next_out_);
  want((jumps_.empty() ? now : jumps_.front().at) + config_.max_skew);
}

void MergeWindow::find_first_held() noexcept {
  first_held_ = next_out_;
  while (!is_packet(slot(first_held_))) ++first_held_;
}

// Holes that every live leg has passed by more than its reordering will not be filled any more.
void MergeWindow::close_passed(Instant now, MergeOutlet& out) noexcept {
  if (choice_ && !due_) return settle_front(now, out);
  while ((attention_ & kGap) != 0) {
    const std::int64_t passed = passed_by_all() - config_.reorder_depth;
    if (passed <= 0) return;
    const std::uint64_t end = std::min(next_out_ + static_cast<std::uint64_t>(passed), first_held_);
    if (rescue(end, now, out)) continue;
    give_up(end, GapCause::BothLost);
    if (next_out_ != first_held_) return;
    release_run(now, out);
    gap_closed_or_moved(now, out);
  }
}

void MergeWindow::close_oldest(GapCause cause, Instant now, MergeOutlet& out) noexcept {
  if (choice_) return settle_one(cause, now, out);
  if (rescue(first_held_, now, out)) return;
  give_up(first_held_, cause);
  release_run(now, out);
  gap_closed_or_moved(now, out);
}

void MergeWindow::tick(Instant now, MergeOutlet& out) noexcept {
  armed_ = kNever;
  if (!started()) {
    if (now < start_deadline_) return want(start_deadline_);
    begin(now, out);
  }
  if (early_) tick_early(now, out);
  if (arrival_) {
    close_arrival_gaps(now, 0, now, out);
  } else if (due_) {
    play_out(now, now, out);
  } else if (choice_) {
    settle_front(now, out);
  } else {
    while ((attention_ & kGap) != 0 &&
           (jumps_.empty() || jumps_.front().at + config_.max_skew <= now)) {
      close_oldest(GapCause::Deadline, now, out);
    }
    if ((attention_ & kGap) != 0) want(jumps_.front().at + config_.max_skew);
  }
  if (now >= next_check_) check_silence(now, out);
  want(next_check_);
}

void MergeWindow::drain(Instant now, MergeOutlet& out) noexcept {
  for (unsigned leg = 0; leg < legs_.size(); ++leg) drop_candidates(leg, out);
  if (!started() && held_ != 0) begin(now, out);
  settle_all_early(now, out);
  if (arrival_) close_arrival_gaps(kNever, 0, now, out);
  if (due_) play_out(kNever, now, out);
  while ((attention_ & kGap) != 0) close_oldest(GapCause::Deadline, now, out);
  for (unsigned leg = 0; leg < legs_.size() && started(); ++leg) settle_leg(leg);
  out.flush();
}

}  // namespace castgate
