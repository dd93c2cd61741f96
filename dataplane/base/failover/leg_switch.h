// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/base/failover/inherited.h"
#include "dataplane/base/failover/leg_action.h"
#include "dataplane/base/instant.h"

namespace castgate {

struct SwitchConfig {
  bool prefer = false;                         // else all legs are worth the same
  std::array<std::uint8_t, 8> order{};         // by leg: its place, 0 is the best
  bool revertive = true;                       // go back to a better leg that is well again
  bool on_degrade = false;                     // leave a leg that only degrades, too
  Nanoseconds hold_off{0};                     // a fault that is shorter does not count
  Nanoseconds wait_to_restore{5'000'000'000};  // a leg is well again after so long without a fault
};

enum class LegHealth : std::uint8_t { Well, Degraded, Failed };

// Which leg a stream prefers: ITU-T G.808.1's linear protection (signal fail, signal degrade,
// hold-off, wait-to-restore, revertive or not, the operator's commands), for up to eight legs.
// Packet by packet the others stand in all the same: this only says whose copy is wanted first.
class LegSwitch {
 public:
  enum class State : std::uint8_t { Well, Degraded, Failed, Restoring, LockedOut };

  LegSwitch(const SwitchConfig& config, unsigned legs) noexcept;

  // What each leg looks like now. True when another leg is preferred from here on.
  bool judge(const std::array<LegHealth, 8>& health, Instant now) noexcept;
  // Lockout: this leg is not to be used. Forced: it is preferred whatever its state; Manual: as
  // long as it is well. Clear: of this leg's commands and its wait-to-restore. True as judge().
  bool command(unsigned leg, LegAction command, Instant now) noexcept;

  // Goes on with what was seen and commanded, under our own configuration.
  void inherit(const LegSwitch& old, const Inherited& from) noexcept;

  unsigned preferred() const noexcept { return preferred_; }
  // 0: its good copies leave at once. Others wait for legs of a lower rank.
  std::uint8_t rank(unsigned leg) const noexcept {
    if (!config_.prefer || leg == preferred_) return 0;
    return static_cast<std::uint8_t>(1 + config_.order[leg]);
  }
  bool is_locked_out(unsigned leg) const noexcept { return legs_[leg].locked_out; }
  State state(unsigned leg) const noexcept;
  std::uint64_t switches() const noexcept { return switches_; }

 private:
  struct Leg {
    LegHealth seen = LegHealth::Well;    // at the last look
    LegHealth health = LegHealth::Well;  // after hold-off
    Instant since;                       // `seen` is so
    Instant well_since{INT64_MIN / 2};
    bool locked_out = false;
  };
  static constexpr unsigned kNone = 8;

  bool choose(Instant now) noexcept;
  bool is_usable(unsigned leg) const noexcept;
  bool is_restored(unsigned leg, Instant now) const noexcept;
  unsigned best(Instant now) const noexcept;

  SwitchConfig config_;
  unsigned count_;
  unsigned preferred_ = 0;
  unsigned forced_ = kNone;
  unsigned manual_ = kNone;
  std::uint64_t switches_ = 0;
  Instant now_;
  std::array<Leg, 8> legs_{};
};

}  // namespace castgate
