// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include <gtest/gtest.h>

#include "controlplane/conductor/watchdog.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;
using Change = Watchdog::Change;

// Two workers; the second one is what a test makes stand still.
class WatchdogTest : public testing::Test {
 protected:
  // Looks every millisecond for `span`; the last change in it.
  Change look_for(Nanoseconds span) {
    Change last = Change::None;
    for (Nanoseconds passed{0}; passed < span; passed += 1ms) {
      const Change change = look_after(1ms);
      if (change != Change::None) last = change;
    }
    return last;
  }
  Change look_after(Nanoseconds span) {
    now_ = now_ + span;
    if (beating_) beat_ = now_;
    if (first_beating_) first_beat_ = now_;
    const Nanoseconds ages[] = {now_ - first_beat_, now_ - beat_};
    return watchdog_.heard_beats(now_, ages);
  }

  Watchdog watchdog_;
  Instant now_{1'000'000'000};
  Instant beat_ = now_;
  Instant first_beat_ = now_;
  bool beating_ = true;
  bool first_beating_ = true;
};

TEST_F(WatchdogTest, worker_that_beats_is_no_alarm) {
  EXPECT_EQ(look_for(10s), Change::None);
  EXPECT_EQ(watchdog_.stalled(), std::nullopt);
}

TEST_F(WatchdogTest, silence_of_20_ms_is_no_alarm_and_21_ms_are) {
  look_for(100ms);
  beating_ = false;
  EXPECT_EQ(look_for(20ms), Change::None);
  EXPECT_EQ(look_for(1ms), Change::Raised);
}

TEST_F(WatchdogTest, alarm_is_raised_once_and_cleared_by_the_next_beat) {
  look_for(100ms);
  beating_ = false;
  EXPECT_EQ(look_for(30ms), Change::Raised);
  EXPECT_EQ(look_for(1s), Change::None);
  EXPECT_EQ(watchdog_.stalled(), 1u);
  beating_ = true;
  EXPECT_EQ(look_for(1ms), Change::Cleared);
  EXPECT_EQ(watchdog_.stalled(), std::nullopt);
}

TEST_F(WatchdogTest, pause_of_the_whole_process_is_no_alarm) {
  look_for(100ms);
  beating_ = first_beating_ = false;  // the workers stand still with us
  EXPECT_EQ(look_after(60s), Change::None);
  EXPECT_EQ(look_for(5ms), Change::None);  // and need a moment to come back
  beating_ = first_beating_ = true;
  EXPECT_EQ(look_for(1s), Change::None);
}

TEST_F(WatchdogTest, worker_that_does_not_come_back_after_a_pause_is_an_alarm) {
  look_for(100ms);
  beating_ = false;
  look_after(60s);
  EXPECT_EQ(look_for(20ms), Change::Raised);
}

TEST_F(WatchdogTest, pause_of_the_control_thread_alone_is_no_alarm) {
  look_for(100ms);
  EXPECT_EQ(look_after(60s), Change::None);  // the workers went on
  EXPECT_EQ(watchdog_.stalls(0) + watchdog_.stalls(1), 0u);
}

TEST_F(WatchdogTest, stalls_are_counted_for_the_worker_that_had_them) {
  for (int i = 0; i < 3; ++i) {
    beating_ = true;
    look_for(100ms);
    beating_ = false;
    look_for(50ms);
  }
  EXPECT_EQ(watchdog_.stalls(0), 0u);
  EXPECT_EQ(watchdog_.stalls(1), 3u);
}

TEST_F(WatchdogTest, alarm_stays_until_the_last_stalled_worker_moves) {
  look_for(100ms);
  beating_ = first_beating_ = false;
  EXPECT_EQ(look_for(50ms), Change::Raised);
  beating_ = true;
  EXPECT_EQ(look_for(50ms), Change::None);
  EXPECT_EQ(watchdog_.stalled(), 0u);
  first_beating_ = true;
  EXPECT_EQ(look_for(1ms), Change::Cleared);
}

TEST_F(WatchdogTest, service_manager_is_told_after_5_s_without_any_loop) {
  look_for(100ms);
  beating_ = first_beating_ = false;
  look_for(4990ms);
  EXPECT_TRUE(watchdog_.any_alive());
  look_for(20ms);
  EXPECT_FALSE(watchdog_.any_alive());
}

TEST_F(WatchdogTest, one_worker_of_two_that_loops_keeps_the_service_alive) {
  look_for(100ms);
  beating_ = false;
  look_for(10s);
  EXPECT_TRUE(watchdog_.any_alive());
}

TEST_F(WatchdogTest, pause_does_not_count_towards_the_5_s) {
  look_for(1s);
  beating_ = first_beating_ = false;
  look_after(3600s);
  EXPECT_TRUE(watchdog_.any_alive());
}

}  // namespace
}  // namespace castgate
