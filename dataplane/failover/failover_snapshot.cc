// SPDX-License-Identifier: Apache-2.0
#include "dataplane/failover/failover_stage.h"

namespace castgate {
namespace {

LegState state_of(const LegTrack& leg) {
  if (leg.diverged) return LegState::Diverged;
  if (leg.live) return LegState::Up;
  return leg.seen ? LegState::Silent : LegState::Waiting;
}

void copy_leg(const MergeWindow& window, unsigned index, LegSnapshot& into) {
  const LegTrack& leg = window.leg(index);
  into.state = state_of(leg);
  into.packets = window.leg_packets(index);
  into.bytes = window.leg_bytes(index);
  into.lost = leg.lost;
  into.reordered = leg.reordered;
  into.duplicate_same_leg = leg.duplicate_same_leg;
  into.late = leg.late;
  into.late_after_release = leg.late_after_release;
  into.wild_sequence = leg.wild_sequence;
  into.other_epoch = leg.other_epoch;
  into.first_wins = leg.first_wins;
  into.skew = leg.skew;
  into.skew_p50_ns = leg.skew.percentile(0.50);
  into.skew_p99_ns = leg.skew.percentile(0.99);
  into.skew_max_ns = leg.skew.max();
  into.jitter_ns = leg.jitter_ns;
  into.state_changes = leg.state_changes;
}

std::uint64_t gaps(const MergeTotals& totals, GapCause cause) {
  return totals.gaps[static_cast<std::size_t>(cause)];
}

}  // namespace

bool FailoverStage::snapshot(std::size_t s, StreamSnapshot& into) const {
  if (lanes_[s].window == nullptr) return false;
  const MergeWindow& window = *lanes_[s].window;
  std::uint64_t elsewhere = 0;
  std::uint64_t received = 0;
  for (unsigned l = 0; l < into.legs.size(); ++l) {
    LegSnapshot& leg = into.legs[l];
    copy_leg(window, l, leg);
    leg.malformed = malformed_[s][l];
    received += leg.packets;
    elsewhere += leg.duplicate_same_leg + leg.late + leg.late_after_release + leg.wild_sequence +
                 leg.other_epoch + leg.malformed;
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
  into.gap_max = totals.gap_max;
  into.held_max = totals.held_max;
  into.hold_max_ns = static_cast<std::uint64_t>(totals.hold_max_ns);
  into.restarts = totals.restarts;
  into.epoch = window.epoch();
  into.window_positions = window.window();
  into.window_bytes = window.memory_bytes();
  return true;
}

}  // namespace castgate
