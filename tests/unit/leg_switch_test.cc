// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/failover/leg_switch.h"

#include <gtest/gtest.h>

namespace castgate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Health = std::array<LegHealth, 8>;

constexpr LegHealth kWell = LegHealth::Well;
constexpr LegHealth kFailed = LegHealth::Failed;
constexpr LegHealth kDegraded = LegHealth::Degraded;

constexpr SwitchConfig kConfig{.prefer = true,
                               .order = {0, 1, 2},
                               .on_degrade = true,
                               .hold_off = milliseconds{100},
                               .wait_to_restore = seconds{5}};

struct Lab {
  explicit Lab(const SwitchConfig& config = kConfig) : legs(config, 3) {}
  // Looks every 10 ms until `ms` from the start.
  unsigned until(std::int64_t ms, const Health& health) {
    for (; now.ns < ms * 1'000'000; now = now + milliseconds{10}) legs.judge(health, now);
    return legs.preferred();
  }
  LegSwitch legs;
  Instant now;
};

TEST(LegSwitchTest, order_says_which_leg_is_first) {
  EXPECT_EQ(LegSwitch({.prefer = true, .order = {2, 0, 1}}, 3).preferred(), 1);
  EXPECT_EQ(LegSwitch({.prefer = true, .order = {2, 0, 1}}, 3).rank(2), 2);
  EXPECT_EQ(LegSwitch({.prefer = false, .order = {2, 0, 1}}, 3).rank(0), 0) << "all are alike";
}

TEST(LegSwitchTest, failure_shorter_than_hold_off_does_not_switch) {
  Lab lab;
  EXPECT_EQ(lab.until(1'000, {kWell, kWell, kWell}), 0);
  EXPECT_EQ(lab.until(1'090, {kFailed, kWell, kWell}), 0);
  EXPECT_EQ(lab.until(2'000, {kWell, kWell, kWell}), 0);
  EXPECT_EQ(lab.until(2'150, {kFailed, kWell, kWell}), 1);
  EXPECT_EQ(lab.legs.state(0), LegSwitch::State::Failed);
  EXPECT_EQ(lab.legs.switches(), 1);
}

TEST(LegSwitchTest, revertive_goes_back_after_wait_to_restore_and_not_before) {
  Lab lab;
  lab.until(1'000, {kFailed, kWell, kWell});
  EXPECT_EQ(lab.until(5'900, {kWell, kWell, kWell}), 1);
  EXPECT_EQ(lab.legs.state(0), LegSwitch::State::Restoring);
  EXPECT_EQ(lab.until(6'100, {kWell, kWell, kWell}), 0);
  EXPECT_EQ(lab.legs.state(0), LegSwitch::State::Well);
}

TEST(LegSwitchTest, leg_that_waits_to_be_restored_is_used_where_all_others_fail) {
  Lab lab;
  lab.until(1'000, {kFailed, kWell, kWell});
  lab.until(2'000, {kWell, kWell, kWell});
  EXPECT_EQ(lab.until(3'000, {kWell, kFailed, kFailed}), 0);
}

TEST(LegSwitchTest, of_two_degraded_legs_the_one_that_degraded_last_stays) {
  const SwitchConfig two{.prefer = true, .order = {0, 1}, .on_degrade = true};
  LegSwitch legs(two, 2);
  legs.judge({kDegraded, kWell}, Instant{1});
  EXPECT_EQ(legs.preferred(), 1);
  legs.judge({kDegraded, kDegraded}, Instant{2});
  EXPECT_EQ(legs.preferred(), 1);
  legs.judge({kDegraded, kFailed}, Instant{3});
  EXPECT_EQ(legs.preferred(), 0) << "degraded is better than failed";
}

TEST(LegSwitchTest, of_failed_legs_the_first_in_order_is_preferred) {
  Lab lab;
  lab.until(1'000, {kFailed, kWell, kWell});
  EXPECT_EQ(lab.until(2'000, {kFailed, kFailed, kFailed}), 0);
}

TEST(LegSwitchTest, degraded_leg_is_kept_unless_told_otherwise) {
  LegSwitch legs({.prefer = true, .order = {0, 1}}, 2);
  legs.judge({kDegraded, kWell}, Instant{1});
  EXPECT_EQ(legs.preferred(), 0);
  EXPECT_EQ(legs.state(0), LegSwitch::State::Degraded);
}

TEST(LegSwitchTest, commands_outrank_health_and_each_other) {
  Lab lab;
  const Health well{};
  lab.until(1'000, well);
  EXPECT_TRUE(lab.legs.command(2, LegAction::Manual, lab.now));
  EXPECT_EQ(lab.legs.preferred(), 2);
  EXPECT_TRUE(lab.legs.command(1, LegAction::Forced, lab.now));
  EXPECT_EQ(lab.until(2'000, {kWell, kFailed, kWell}), 1) << "forced, whatever its state";
  EXPECT_TRUE(lab.legs.command(1, LegAction::Clear, lab.now));
  EXPECT_EQ(lab.until(3'000, well), 0) << "forced had ended the manual one";
  EXPECT_TRUE(lab.legs.command(0, LegAction::Lockout, lab.now));
  EXPECT_EQ(lab.until(9'000, well), 1) << "clear ended the wait of the leg cleared";
  EXPECT_EQ(lab.legs.state(0), LegSwitch::State::LockedOut);
  lab.legs.command(0, LegAction::Clear, lab.now);
  EXPECT_EQ(lab.until(9'100, well), 0);
}

TEST(LegSwitchTest, manual_ends_where_its_leg_fails) {
  Lab lab;
  lab.legs.command(1, LegAction::Manual, lab.now);
  EXPECT_EQ(lab.until(1'000, {kWell, kFailed, kWell}), 0);
  EXPECT_EQ(lab.until(20'000, {kWell, kWell, kWell}), 0) << "and does not come back";
}

}  // namespace
}  // namespace castgate
