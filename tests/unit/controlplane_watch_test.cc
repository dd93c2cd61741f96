// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include <gtest/gtest.h>

#include "controlplane/alarms/watch.h"
#include "tests/support/fake_runtime.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;

// An appliance of one stream, 1000 positions a second on each leg, looked at every second.
class WatchTest : public testing::Test {
 protected:
  WatchTest() {
    PortSpec& port = spec_.ports.emplace_back();
    port.name = "red";
    StreamSpec& stream = spec_.streams.emplace_back();
    stream.name = "news1";
    stream.legs.emplace_back().name = "A";
    stream.legs.emplace_back().name = "B";
    shown_ = test::blank_snapshot(spec_);
    shown_.ports[0].link_up = true;
    watch_.emplace(spec_, now_);
  }

  StreamSnapshot& stream() { return shown_.streams[0]; }

  // `share_of_b`: what leg B brings of each second.
  void run(int seconds, double share_of_b = 1) {
    for (int i = 0; i < seconds; ++i) {
      now_ = now_ + 1s;
      if (flows_) {
        stream().forwarded += 1000;
        for (LegSnapshot& leg : stream().legs) leg.state = LegState::Up;
        stream().legs[0].packets += 1000;
        stream().legs[1].packets += static_cast<std::uint64_t>(1000 * share_of_b);
      }
      watch_->look(shown_, now_, alarms_);
      alarms_.turn(now_);
    }
  }
  std::string standing() const {
    std::string all;
    for (const Alarm& alarm : alarms_.standing()) all += (all.empty() ? "" : " ") + alarm.key.id();
    return all;
  }

  Spec spec_;
  Snapshot shown_;
  Instant now_{1'000'000'000'000};
  AlarmTable alarms_;
  std::optional<Watch> watch_;
  bool flows_ = true;
};

TEST_F(WatchTest, calm_appliance_raises_nothing) {
  run(100);
  EXPECT_EQ(standing(), "");
  EXPECT_TRUE(alarms_.cleared().empty());
}

TEST_F(WatchTest, leg_that_dies_silently_is_told_within_two_periods_and_cleared_when_back) {
  for (int phase = 0; phase < 2; ++phase) {
    run(10 + phase);
    ASSERT_EQ(standing(), "") << phase;
    run(4, 0);
    EXPECT_EQ(standing(), "latent_error/news1/B") << phase;
    run(5);
    EXPECT_EQ(standing(), "") << phase;
  }
  EXPECT_EQ(alarms_.cleared().size(), 2u);
}

TEST_F(WatchTest, slow_stream_is_compared_once_it_has_moved_enough) {
  run(3);
  flows_ = false;
  stream().forwarded += 5;
  stream().legs[0].packets += 5;
  run(2);
  EXPECT_EQ(standing(), "");
  stream().forwarded += 11;
  stream().legs[0].packets += 11;
  run(1);
  EXPECT_EQ(standing(), "latent_error/news1/B");
}

TEST_F(WatchTest, stream_that_stops_is_down_and_comes_back_by_itself) {
  run(5);
  flows_ = false;
  run(2);
  EXPECT_EQ(standing(), "");
  run(1);
  EXPECT_EQ(standing(), "all_legs_down/news1");
  flows_ = true;
  run(2);
  EXPECT_EQ(standing(), "");
}

TEST_F(WatchTest, stream_that_was_never_heard_is_down) {
  flows_ = false;
  run(3);
  EXPECT_EQ(standing(), "all_legs_down/news1");
}

TEST_F(WatchTest, stream_that_nobody_wants_has_no_alarms) {
  bool wanted = false;
  watch_->set_wanted([&](std::size_t) { return wanted; });
  flows_ = false;
  run(20);
  watch_->note({.kind = EventKind::LegSilent}, now_, alarms_);
  EXPECT_EQ(standing(), "");
  wanted = true;
  run(2);
  EXPECT_EQ(standing(), "") << "it may still be on its way";
  run(2);
  EXPECT_EQ(standing(), "all_legs_down/news1");
  wanted = false;
  run(1);
  EXPECT_EQ(standing(), "");
}

TEST_F(WatchTest, legs_events_are_alarms_before_the_next_look) {
  run(2);
  watch_->note({.kind = EventKind::LegSilent, .leg = 1, .stream = 0, .at = {}}, now_, alarms_);
  EXPECT_EQ(standing(), "leg_silent/news1/B");
  watch_->note({.kind = EventKind::LegUp, .leg = 1, .stream = 0, .at = {}}, now_, alarms_);
  watch_->note({.kind = EventKind::LegDiverged, .leg = 0, .stream = 0, .at = {}}, now_, alarms_);
  alarms_.turn(now_ + 3s);
  EXPECT_EQ(standing(), "leg_diverged/news1/A");
  watch_->note({.kind = EventKind::LegSilent, .leg = 7, .stream = 0, .at = {}}, now_, alarms_);
  watch_->note({.kind = EventKind::LegSilent, .leg = 0, .stream = 9, .at = {}}, now_, alarms_);
  watch_->note({.kind = EventKind::Gap, .stream = 0, .at = {}}, now_, alarms_);
  EXPECT_EQ(standing(), "leg_diverged/news1/A");
}

// The event's ring may have been full: the state is seen all the same.
TEST_F(WatchTest, silence_of_which_no_event_told_is_seen_at_the_next_look) {
  run(2);
  flows_ = false;
  stream().legs[1].state = LegState::Silent;
  run(1);
  EXPECT_EQ(standing(), "leg_silent/news1/B");
}

TEST_F(WatchTest, port_without_link_or_packet_buffers_is_an_alarm) {
  shown_.ports[0].link_up = false;
  run(1);
  EXPECT_EQ(standing(), "link_down/red");
  shown_.ports[0].link_up = true;
  shown_.ports[0].pool_empty = 3;
  run(1);
  EXPECT_EQ(standing(), "link_down/red pool_empty/red");
  run(2);
  EXPECT_EQ(standing(), "pool_empty/red");
  run(9);
  EXPECT_EQ(standing(), "");
}

TEST_F(WatchTest, loss_and_skew_of_a_second_are_alarms_for_their_hold_down) {
  run(2);
  stream().legs[1].lost += 2;
  stream().legs[1].skew.add(50'000'000);
  stream().legs[0].skew.add(0);
  run(1);
  EXPECT_EQ(standing(), "path_differential/news1/B signal_degrade/news1/B");
  run(10);
  EXPECT_EQ(standing(), "path_differential/news1/B signal_degrade/news1/B");
  run(1);
  EXPECT_EQ(standing(), "");
}

TEST_F(WatchTest, looks_that_follow_too_soon_judge_nothing) {
  run(3);
  stream().forwarded += 1000;
  watch_->look(shown_, now_ + 1ms, alarms_);
  EXPECT_EQ(standing(), "");
}

TEST_F(WatchTest, snapshot_of_another_shape_is_passed_over) {
  run(3);
  watch_->look({}, now_ + 1s, alarms_);
  EXPECT_EQ(standing(), "");
}

}  // namespace
}  // namespace castgate
