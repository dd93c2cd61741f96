// SPDX-License-Identifier: Apache-2.0
#include "dataplane/failover/failover_stage.h"

namespace castgate {
namespace {

// Null where all copies are alike.
const MergeChoice* choice_of(const MergeWindow& window) {
  return window.choice();
}
const MergeChoice* choice_of(const FingerprintMerge& /*merge*/) {
  return nullptr;
}

LegState state_of(const LegTrack& leg, const MergeChoice* choice, unsigned index) {
  if (leg.unwanted) return LegState::LockedOut;
  if (leg.diverged) return LegState::Diverged;
  if (leg.live && choice != nullptr) {
    const LegSwitch::State state = choice->switching.state(index);
    if (state == LegSwitch::State::Degraded) return LegState::Degraded;
    if (state == LegSwitch::State::Restoring) return LegState::Restoring;
  }
  if (leg.live) return LegState::Up;
  return leg.seen ? LegState::Silent : LegState::Waiting;
}

template <class Merge>
void copy_leg(const Merge& window, unsigned index, LegSnapshot& into) {
  const LegTrack& leg = window.leg(index);
  into.state = state_of(leg, choice_of(window), index);
  into.packets = window.leg_packets(index);
  into.bytes = window.leg_bytes(index);
  into.lost = leg.lost;
  into.reordered = leg.reordered;
  into.duplicate_same_leg = leg.duplicate_same_leg;
  into.late = leg.late;
  into.late_after_release = leg.late_after_release;
  into.wild_sequence = leg.wild_sequence;
  into.other_epoch = leg.other_epoch;
  into.locked_out = leg.locked_out;
  into.content_mismatch = leg.content_mismatch;
  if (const MergeChoice* choice = choice_of(window)) {
    into.selected = choice->selected[index];
    into.rank = choice->switching.rank(index);
  }
  into.first_wins = leg.first_wins;
  into.skew = leg.skew;
  into.skew_p50_ns = leg.skew.percentile(0.50);
  into.skew_p99_ns = leg.skew.percentile(0.99);
  into.skew_max_ns = leg.skew.max();
  into.jitter_ns = leg.jitter_ns;
  into.state_changes = leg.state_changes;
}

void copy_faults(const TsFaults& faults, LegSnapshot& into) {
  into.ts_transport_errors = faults.transport_error;
  into.ts_continuity_errors = faults.continuity;
  into.ts_pcr_errors = faults.pcr;
}

std::uint64_t gaps(const MergeTotals& totals, GapCause cause) {
  return totals.gaps[static_cast<std::size_t>(cause)];
}

// Of the leg's packets those that were neither forwarded, nor kept, nor redundant.
std::uint64_t elsewhere_of(const LegSnapshot& leg) {
  return leg.duplicate_same_leg + leg.late + leg.late_after_release + leg.wild_sequence +
         leg.other_epoch + leg.malformed + leg.payload_type + leg.not_ts + leg.locked_out +
         leg.offset_learning;
}

template <class Merge>
void copy_judged_leg(const Merge& window, const StreamJudgement& judged, unsigned l,
                     LegSnapshot& leg) {
  copy_leg(window, l, leg);
  const auto& told = judged.legs[l];
  leg.malformed = told.malformed;
  leg.payload_type = told.payload_type;
  leg.not_ts = told.not_ts;
  leg.degraded = told.degraded;
  leg.corrupt = told.corrupt;
  leg.offset_learning = told.offset_learning;
  if (told.locked_out != 0) leg.locked_out = told.locked_out;
  if (judged.verdict) copy_faults(judged.verdict->faults(l), leg);
}

template <class Merge>
void copy_stream(const Merge& window, const StreamJudgement& judged, StreamSnapshot& into) {
  std::uint64_t elsewhere = judged.gone.elsewhere;
  std::uint64_t received = judged.gone.received;
  for (unsigned l = 0; l < into.legs.size(); ++l) {
    LegSnapshot& leg = into.legs[l];
    copy_judged_leg(window, judged, l, leg);
    received += leg.packets;
    elsewhere += elsewhere_of(leg);
  }
  const MergeTotals& totals = window.totals();
  into.forwarded = window.forwarded();
  into.held = window.held();
  into.redundant = received - elsewhere - into.forwarded - into.held;
  into.recovered = totals.recovered;
  into.unrecovered = totals.unrecovered;
  into.gaps_both_lost = gaps(totals, GapCause::BothLost);
  into.gaps_deadline = gaps(totals, GapCause::Deadline);
  into.gaps_budget = gaps(totals, GapCause::Budget);
  into.gaps_restart = gaps(totals, GapCause::Restart);
  into.gaps = into.gaps_both_lost + into.gaps_deadline + into.gaps_budget + into.gaps_restart;
  into.trimmed = totals.trimmed;
  if (const MergeChoice* choice = choice_of(window)) {
    into.degraded = choice->degraded;
    into.replaced = choice->replaced;
    into.switches = choice->switching.switches();
  }
  into.gap_max = totals.gap_max;
  into.held_max = totals.held_max;
  into.hold_max_ns = static_cast<std::uint64_t>(totals.hold_max_ns);
  into.restarts = totals.restarts;
  into.epoch = window.epoch();
  into.window_positions = window.window();
  into.window_bytes = window.memory_bytes();
}

}  // namespace

bool FailoverStage::snapshot(std::size_t s, StreamSnapshot& into) const {
  const FailoverStream& stream = streams_[s];
  if (stream.is_vacant() || stream.legs != into.legs.size()) return false;
  if (stream.unnumbered) {
    copy_stream(*stream.unnumbered, stream.judged, into);
    for (unsigned l = 0; l < into.legs.size(); ++l) {
      if ((stream.judged.refused >> l & 1) != 0) into.legs[l].state = LegState::LockedOut;
    }
  } else {
    copy_stream(*stream.lane.window, stream.judged, into);
    copy_offsets(stream, into);
  }
  return true;
}

// What a leg that is taken out has counted, so that the stream's sums go on to hold.
void FailoverStage::settle_gone(const FailoverStream& stream, unsigned leg,
                                StreamJudgement::Gone& gone) noexcept {
  LegSnapshot last;
  if (stream.unnumbered) {
    copy_judged_leg(*stream.unnumbered, stream.judged, leg, last);
  } else {
    copy_judged_leg(*stream.lane.window, stream.judged, leg, last);
  }
  gone.received += last.packets;
  gone.elsewhere += elsewhere_of(last);
}

}  // namespace castgate
