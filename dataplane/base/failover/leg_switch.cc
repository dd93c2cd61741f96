// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/failover/leg_switch.h"

#include <tuple>

namespace castgate {

LegSwitch::LegSwitch(const SwitchConfig& config, unsigned legs) noexcept
    : config_(config), count_(legs) {
  for (unsigned leg = 1; leg < count_; ++leg) {
    if (config_.order[leg] < config_.order[preferred_]) preferred_ = leg;
  }
}

bool LegSwitch::judge(const std::array<LegHealth, 8>& health, Instant now) noexcept {
  now_ = now;
  for (unsigned i = 0; i < count_; ++i) {
    Leg& leg = legs_[i];
    if (health[i] != leg.seen) {
      if (health[i] == LegHealth::Well && leg.health != LegHealth::Well) leg.well_since = now;
      if (leg.seen == LegHealth::Well || health[i] == LegHealth::Well) leg.since = now;
      leg.seen = health[i];
    }
    const bool counts = leg.seen == LegHealth::Well || now - leg.since >= config_.hold_off;
    if (counts) leg.health = leg.seen;
  }
  return choose(now);
}

bool LegSwitch::command(unsigned leg, LegAction command, Instant now) noexcept {
  now_ = now;
  legs_[leg].locked_out = command == LegAction::Lockout;
  if (forced_ == leg) forced_ = kNone;
  if (manual_ == leg) manual_ = kNone;
  if (command == LegAction::Forced) {
    forced_ = leg;
    manual_ = kNone;
  } else if (command == LegAction::Manual) {
    manual_ = leg;
  } else if (command == LegAction::Clear) {
    legs_[leg].well_since = {INT64_MIN / 2};
  }
  return choose(now);
}

void LegSwitch::inherit(const LegSwitch& old, const Inherited& from) noexcept {
  const auto now = [&](unsigned leg) {
    const unsigned found = leg == kNone ? count_ : from.now(leg, count_);
    return found == count_ ? unsigned{kNone} : found;
  };
  for (unsigned leg = 0; leg < count_; ++leg) {
    if (from.has(leg)) legs_[leg] = old.legs_[from.old(leg)];
  }
  forced_ = now(old.forced_);
  manual_ = now(old.manual_);
  switches_ = old.switches_;
  now_ = old.now_;
  const bool stays = old.config_.order == config_.order || forced_ != kNone || manual_ != kNone;
  if (stays && now(old.preferred_) != kNone) preferred_ = now(old.preferred_);
}

bool LegSwitch::is_usable(unsigned leg) const noexcept {
  if (legs_[leg].locked_out || legs_[leg].health == LegHealth::Failed) return false;
  return !config_.on_degrade || legs_[leg].health == LegHealth::Well;
}

bool LegSwitch::is_restored(unsigned leg, Instant now) const noexcept {
  return is_usable(leg) && legs_[leg].seen == LegHealth::Well &&
         now - legs_[leg].well_since >= config_.wait_to_restore;
}

// Of all legs that are not locked out: well before degraded before failed, then in order. Of legs
// that all degrade the preferred one stays: it is the one that did so last.
unsigned LegSwitch::best(Instant now) const noexcept {
  const auto worth = [&](unsigned i) {
    const bool failed = legs_[i].health == LegHealth::Failed;
    const bool other = !failed && i != preferred_;
    return std::tuple(legs_[i].locked_out, failed, !is_usable(i), other && !is_restored(i, now),
                      other, config_.order[i]);
  };
  unsigned chosen = preferred_;
  for (unsigned i = 0; i < count_; ++i) {
    if (worth(i) < worth(chosen)) chosen = i;
  }
  return chosen;
}

bool LegSwitch::choose(Instant now) noexcept {
  if (!config_.prefer) return false;
  if (manual_ != kNone && !is_usable(manual_)) manual_ = kNone;
  unsigned chosen = preferred_;
  if (forced_ != kNone) {
    chosen = forced_;
  } else if (manual_ != kNone) {
    chosen = manual_;
  } else if (!is_usable(preferred_)) {
    chosen = best(now);
  } else if (config_.revertive) {
    for (unsigned i = 0; i < count_; ++i) {
      if (config_.order[i] < config_.order[chosen] && is_restored(i, now)) chosen = i;
    }
  }
  if (chosen == preferred_) return false;
  preferred_ = chosen;
  ++switches_;
  return true;
}

LegSwitch::State LegSwitch::state(unsigned leg) const noexcept {
  const Leg& of = legs_[leg];
  if (of.locked_out) return State::LockedOut;
  if (of.health == LegHealth::Failed) return State::Failed;
  if (of.health == LegHealth::Degraded) return State::Degraded;
  return now_ - of.well_since < config_.wait_to_restore ? State::Restoring : State::Well;
}

}  // namespace castgate
