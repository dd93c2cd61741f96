// SPDX-License-Identifier: Apache-2.0
// What ends the wait of a packet ahead of its leg's turn: its time, a gap that is given up, the end
// of the leg's numbering.
#include "dataplane/base/failover/merge_window.h"

namespace castgate {

// Before positions below `end` are given up: what came early for them is better than nothing.
bool MergeWindow::rescue(std::uint64_t end, Instant now, MergeOutlet& out) noexcept {
  if (!early_ || suspended_ == 0) return false;
  const auto serves = [&](const EarlyPacket& packet) {
    if (packet.end() <= next_out_ || packet.position >= end) return false;
    return !choice_ || !is_packet(slot(packet.position)) || legs_[packet.leg].trusted(now);
  };
  for (unsigned i = 0; i < early_->aside.size(); ++i) {
    if (serves(early_->aside[i])) return place_aside(i, now, out), true;
  }
  for (unsigned leg = 0; leg < legs_.size(); ++leg) {
    const auto& kept = early_->of_leg[leg].kept;
    for (unsigned i = 0; i < kept.size(); ++i) {
      if (serves(kept[i])) return believe(leg, kept[i].position, now, out), true;
    }
  }
  return false;
}

// Did a doubted leg go on below the packet, and not up to it?
bool MergeWindow::belied(unsigned leg, const EarlyPacket& packet, Instant now) const noexcept {
  return packet.overtaken != 0 && !legs_[leg].trusted(now) && !in_turn(leg, packet.position);
}

// What waited long enough: a leg that brought nothing else is believed, one that went on is not.
void MergeWindow::tick_early(Instant now, MergeOutlet& out) noexcept {
  for (unsigned leg = 0; leg < legs_.size(); ++leg) tick_early_of(leg, now, out);
  for (unsigned i = 0; i < early_->aside.size();) {
    const Instant due = early_->aside[i].came + config_.max_skew;
    if (due > now) {
      want(due);
      ++i;
    } else {
      place_aside(i, now, out);
      i = 0;
    }
  }
}

void MergeWindow::tick_early_of(unsigned leg, Instant now, MergeOutlet& out) noexcept {
  auto& kept = early_->of_leg[leg].kept;
  for (unsigned i = 0; i < kept.size();) {
    const Instant due = kept[i].came + patience(leg, kept[i].fresh);
    if (due > now) {
      want(due);
      ++i;
    } else if (belied(leg, kept[i], now)) {
      discard_early(leg, i, now, out);
    } else {
      believe(leg, kept[i].position, now, out);
      i = 0;
    }
  }
}

// The leg's numbering ends: what nothing speaks against was true.
void MergeWindow::settle_early(unsigned leg, Instant now, MergeOutlet& out) noexcept {
  if (!early_) return;
  auto& kept = early_->of_leg[leg].kept;
  while (kept.size() != 0) {
    if (belied(leg, kept[0], now)) {
      discard_early(leg, 0, now, out);
    } else {
      take_turn(leg, 0, now, out);
    }
  }
}

void MergeWindow::settle_all_early(Instant now, MergeOutlet& out) noexcept {
  if (!early_) return;
  for (unsigned leg = 0; leg < legs_.size(); ++leg) settle_early(leg, now, out);
  while (early_->aside.size() != 0) place_aside(0, now, out);
}

}  // namespace castgate
