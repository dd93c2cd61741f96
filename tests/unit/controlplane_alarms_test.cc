// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "controlplane/alarms/alarm_table.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;

class AlarmTableTest : public testing::Test {
 protected:
  static AlarmKey silent(const std::string& leg, const std::string& stream = "news1") {
    return {AlarmKind::LegSilent, {.stream = stream, .leg = leg}};
  }

  // "+leg_silent/news1/B" where it was raised, "-…" where it was cleared, since the last call.
  std::string changes() {
    std::string all;
    for (const AlarmChange& change : alarms_.take_changes())
      all += (all.empty() ? "" : " ") + std::string(change.cleared ? "-" : "+") + change.key.id();
    return all;
  }

  static constexpr Nanoseconds kHold = info_of(AlarmKind::LegSilent).clear_after;

  AlarmTable alarms_;
  Instant now_{1'000'000'000'000};
};

TEST_F(AlarmTableTest, cause_raises_an_alarm_once_and_keeps_its_latest_text) {
  alarms_.stands(silent("B"), "first", now_);
  alarms_.stands(silent("B"), "second", now_ + 5s);
  EXPECT_EQ(changes(), "+leg_silent/news1/B");
  ASSERT_EQ(alarms_.standing().size(), 1u);
  EXPECT_EQ(alarms_.standing()[0].text, "second");
  EXPECT_EQ(alarms_.standing()[0].raised, now_);
  EXPECT_EQ(alarms_.standing()[0].times, 1u);
}

TEST_F(AlarmTableTest, alarm_outlives_its_cause_by_the_hold_down) {
  alarms_.stands(silent("B"), "text", now_);
  alarms_.gone(silent("B"), now_ + 10s);
  changes();
  alarms_.turn(now_ + 10s + kHold - 1ns);
  EXPECT_EQ(changes(), "");
  alarms_.turn(now_ + 10s + kHold);
  EXPECT_EQ(changes(), "-leg_silent/news1/B");
  EXPECT_TRUE(alarms_.standing().empty());
  ASSERT_EQ(alarms_.cleared().size(), 1u);
  EXPECT_EQ(alarms_.cleared()[0].cleared, now_ + 10s + kHold);
  EXPECT_EQ(alarms_.cleared()[0].raised, now_);
}

TEST_F(AlarmTableTest, alarms_about_what_was_taken_out_are_cleared_at_once) {
  alarms_.stands(silent("A"), "text", now_);
  alarms_.stands(silent("B"), "text", now_);
  alarms_.stands(silent("B", "news2"), "text", now_);
  changes();
  alarms_.forget("news1", "B", now_);
  EXPECT_EQ(changes(), "-leg_silent/news1/B");
  alarms_.forget("news1", {}, now_);
  EXPECT_EQ(changes(), "-leg_silent/news1/A");
  ASSERT_EQ(alarms_.standing().size(), 1u);
  EXPECT_EQ(alarms_.standing()[0].key, silent("B", "news2"));
}

TEST_F(AlarmTableTest, what_flaps_faster_than_the_hold_down_is_one_alarm) {
  for (int i = 0; i < 100; ++i) {
    alarms_.stands(silent("B"), "text", now_);
    alarms_.gone(silent("B"), now_ + 50ms);
    now_ = now_ + 100ms;
    alarms_.turn(now_);
  }
  EXPECT_EQ(changes(), "+leg_silent/news1/B");
  EXPECT_EQ(alarms_.standing()[0].times, 100u);
  alarms_.turn(now_ + kHold);
  EXPECT_EQ(changes(), "-leg_silent/news1/B");
}

TEST_F(AlarmTableTest, what_comes_again_after_the_hold_down_is_another_alarm) {
  for (int i = 0; i < 2; ++i) {
    alarms_.stands(silent("B"), "text", now_);
    alarms_.gone(silent("B"), now_);
    now_ = now_ + kHold;
    alarms_.turn(now_);
  }
  EXPECT_EQ(changes(),
            "+leg_silent/news1/B -leg_silent/news1/B +leg_silent/news1/B -leg_silent/news1/B");
}

TEST_F(AlarmTableTest, hold_down_begins_when_the_cause_goes_and_not_when_it_is_said_again) {
  alarms_.stands(silent("B"), "text", now_);
  for (int i = 0; i < 100; ++i) alarms_.gone(silent("B"), now_ + i * 100ms);
  alarms_.turn(now_ + kHold);
  EXPECT_EQ(changes(), "+leg_silent/news1/B -leg_silent/news1/B");
}

TEST_F(AlarmTableTest, cause_that_never_was_is_no_change_when_it_is_gone) {
  alarms_.gone(silent("B"), now_);
  alarms_.turn(now_ + 1h);
  EXPECT_EQ(changes(), "");
  EXPECT_TRUE(alarms_.cleared().empty());
}

TEST_F(AlarmTableTest, each_alarm_is_cleared_at_its_own_time) {
  alarms_.stands(silent("A"), "text", now_);
  alarms_.stands(silent("B"), "text", now_);
  alarms_.gone(silent("A"), now_);
  alarms_.gone(silent("B"), now_ + 1s);
  changes();
  alarms_.turn(now_ + kHold);
  EXPECT_EQ(changes(), "-leg_silent/news1/A");
  alarms_.turn(now_ + kHold + 1s);
  EXPECT_EQ(changes(), "-leg_silent/news1/B");
}

TEST_F(AlarmTableTest, judgement_of_a_stream_leaves_other_streams_and_kinds_alone) {
  alarms_.stands(silent("A"), "text", now_);
  alarms_.stands(silent("A", "news2"), "text", now_);
  alarms_.stands({AlarmKind::LegDiverged, {.stream = "news1", .leg = "A"}}, "text", now_);
  changes();
  const std::vector<Finding> found{{{.stream = "news1", .leg = "B"}, "text"}};
  alarms_.judge(AlarmKind::LegSilent, "news1", found, now_);
  alarms_.turn(now_ + 1h);
  EXPECT_EQ(changes(), "+leg_silent/news1/B -leg_silent/news1/A");
  EXPECT_EQ(alarms_.standing().size(), 3u);
}

TEST_F(AlarmTableTest, most_severe_alarm_is_shown_first) {
  alarms_.stands({AlarmKind::NoQuerier, {.port = "red"}}, "text", now_);
  alarms_.stands({AlarmKind::WorkerStalled, {.core = 5}}, "text", now_);
  alarms_.stands(silent("A"), "text", now_);
  std::string order;
  for (const Alarm& alarm : alarms_.standing()) order += alarm.key.id() + " ";
  EXPECT_EQ(order, "worker_stalled/5 leg_silent/news1/A no_querier/red ");
}

TEST_F(AlarmTableTest, history_keeps_the_latest_and_is_bounded) {
  for (std::size_t i = 0; i < AlarmTable::kMostCleared + 5; ++i) {
    alarms_.stands(silent("B"), "text", now_);
    alarms_.gone(silent("B"), now_);
    now_ = now_ + kHold;
    alarms_.turn(now_);
  }
  EXPECT_EQ(alarms_.cleared().size(), AlarmTable::kMostCleared);
  EXPECT_EQ(alarms_.cleared().front().cleared, now_);
}

}  // namespace
}  // namespace castgate
