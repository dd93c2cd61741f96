// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "controlplane/report/protection.h"

namespace castgate {
namespace {

LegSnapshot leg(const std::string& name, std::uint64_t packets) {
  LegSnapshot out;
  out.name = name;
  out.state = LegState::Up;
  out.packets = packets;
  return out;
}

// 1000 positions, all of them forwarded.
StreamSnapshot stream(std::vector<LegSnapshot> legs) {
  StreamSnapshot out;
  out.name = "news1";
  out.legs = std::move(legs);
  out.forwarded = 1000;
  return out;
}

Protection grade_of(const StreamSnapshot& judged) {
  return judge_protection(judged).grade;
}

TEST(ProtectionTest, two_whole_legs_are_full_protection) {
  EXPECT_EQ(grade_of(stream({leg("A", 1000), leg("B", 1000)})), Protection::Full);
  EXPECT_EQ(judge_protection(stream({leg("A", 1000), leg("B", 1000)})).reason, "");
}

TEST(ProtectionTest, losses_that_the_other_leg_fills_leave_protection_full) {
  StreamSnapshot lossy = stream({leg("A", 990), leg("B", 991)});
  lossy.recovered = 19;
  EXPECT_EQ(grade_of(lossy), Protection::Full);
}

TEST(ProtectionTest, one_position_lost_on_both_legs_makes_it_partial) {
  StreamSnapshot holed = stream({leg("A", 999), leg("B", 999)});
  holed.forwarded = 999;
  holed.unrecovered = 1;
  EXPECT_EQ(grade_of(holed), Protection::Partial);
  EXPECT_EQ(judge_protection(holed).reason, "1 positions unrecovered");
  holed.legs[1].packets = 900;
  EXPECT_EQ(judge_protection(holed).reason,
            "1 positions unrecovered, leg B carried 90.0 % of the positions in time");
}

TEST(ProtectionTest, whole_output_over_a_leg_that_died_is_a_latent_error) {
  const StreamSnapshot latent = stream({leg("A", 1000), leg("B", 480)});
  EXPECT_EQ(grade_of(latent), Protection::Partial);
  EXPECT_EQ(judge_protection(latent).reason,
            "output whole, but leg B carried 48.0 % of the positions in time");
}

TEST(ProtectionTest, nineteen_positions_in_twenty_are_enough_to_stand) {
  EXPECT_EQ(grade_of(stream({leg("A", 1000), leg("B", 950)})), Protection::Full);
  EXPECT_EQ(grade_of(stream({leg("A", 1000), leg("B", 949)})), Protection::Partial);
}

TEST(ProtectionTest, leg_that_comes_too_late_does_not_protect) {
  StreamSnapshot skewed = stream({leg("A", 1000), leg("B", 1000)});
  skewed.legs[1].late_after_release = 400;
  skewed.legs[1].late = 200;
  EXPECT_EQ(grade_of(skewed), Protection::Partial);
}

TEST(ProtectionTest, duplicates_within_a_leg_do_not_count_as_delivered) {
  StreamSnapshot doubled = stream({leg("A", 1000), leg("B", 1000)});
  doubled.legs[1].duplicate_same_leg = 500;
  EXPECT_EQ(grade_of(doubled), Protection::Partial);
}

TEST(ProtectionTest, diverged_leg_does_not_stand) {
  StreamSnapshot diverged = stream({leg("A", 1000), leg("B", 1000)});
  diverged.legs[1].state = LegState::Diverged;
  EXPECT_EQ(grade_of(diverged), Protection::Partial);
  EXPECT_EQ(judge_protection(diverged).reason, "output whole, but leg B diverged");
}

TEST(ProtectionTest, third_leg_may_be_dead) {
  EXPECT_EQ(grade_of(stream({leg("A", 1000), leg("B", 0), leg("C", 1000)})), Protection::Full);
}

TEST(ProtectionTest, leg_that_never_came_leaves_no_protection) {
  const StreamSnapshot alone = stream({leg("A", 1000), leg("B", 0)});
  EXPECT_EQ(grade_of(alone), Protection::None);
  EXPECT_EQ(judge_protection(alone).reason, "leg B carried 0.0 % of the positions in time");
}

TEST(ProtectionTest, one_leg_is_no_protection) {
  EXPECT_EQ(grade_of(stream({leg("A", 1000)})), Protection::None);
}

TEST(ProtectionTest, silence_is_no_protection) {
  StreamSnapshot silent = stream({leg("A", 0), leg("B", 0)});
  silent.forwarded = 0;
  EXPECT_EQ(judge_protection(silent).reason, "no leg delivered anything");
}

TEST(ProtectionTest, streams_that_disagree_are_partial_together) {
  const StreamSnapshot full = stream({leg("A", 1000), leg("B", 1000)});
  const StreamSnapshot none = stream({leg("A", 1000)});
  EXPECT_EQ(judge_protection(std::vector{full, full}), Protection::Full);
  EXPECT_EQ(judge_protection(std::vector{full, none}), Protection::Partial);
  EXPECT_EQ(judge_protection(std::vector{none, none}), Protection::None);
  EXPECT_EQ(judge_protection(std::vector<StreamSnapshot>{}), Protection::None);
}

TEST(ProtectionTest, save_rate_is_the_share_of_missed_positions_that_left) {
  StreamSnapshot saved = stream({leg("A", 900), leg("B", 900)});
  EXPECT_FALSE(save_rate(saved).has_value());
  saved.recovered = 99;
  saved.unrecovered = 1;
  EXPECT_DOUBLE_EQ(save_rate(saved).value(), 0.99);
}

TEST(ProtectionTest, independent_losses_meet_as_often_as_chance_has_it) {
  StreamSnapshot lossy = stream({leg("A", 900), leg("B", 900)});
  lossy.forwarded = 990;
  lossy.unrecovered = 10;
  lossy.legs[0].lost = lossy.legs[1].lost = 100;
  const auto loss = correlated_loss(lossy);
  ASSERT_TRUE(loss.has_value());
  EXPECT_DOUBLE_EQ(loss->by_chance, 10);
  EXPECT_DOUBLE_EQ(loss->ratio, 1);
}

TEST(ProtectionTest, cause_that_legs_share_shows_as_more_than_chance) {
  StreamSnapshot shared = stream({leg("A", 990), leg("B", 990)});
  shared.forwarded = 990;
  shared.unrecovered = 10;
  shared.legs[0].lost = shared.legs[1].lost = 10;
  EXPECT_DOUBLE_EQ(correlated_loss(shared)->ratio, 100);
}

TEST(ProtectionTest, legs_that_did_not_all_lose_have_no_correlation) {
  StreamSnapshot lossy = stream({leg("A", 900), leg("B", 1000)});
  lossy.legs[0].lost = 100;
  EXPECT_FALSE(correlated_loss(lossy).has_value());
  EXPECT_FALSE(correlated_loss(stream({leg("A", 900)})).has_value());
  EXPECT_FALSE(correlated_loss({}).has_value());
}

}  // namespace
}  // namespace castgate
