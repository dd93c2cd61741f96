// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <gtest/gtest.h>

#include "controlplane/conductor/event_log.h"

namespace castgate {
namespace {

class EventLogTest : public testing::Test {
 protected:
  static Spec two_streams() {
    Spec spec;
    for (const char* name : {"news1", "news2"}) {
      StreamSpec& stream = spec.streams.emplace_back();
      stream.name = name;
      stream.legs.emplace_back().name = "A";
      stream.legs.emplace_back().name = "B";
    }
    return spec;
  }

  static Event gap(std::uint16_t stream, std::uint64_t from, std::uint64_t to, GapReason reason) {
    return {.kind = EventKind::Gap,
            .reason = reason,
            .stream = stream,
            .from = from,
            .to = to,
            .at = {}};
  }

  static std::string text(const std::vector<LogLine>& lines) {
    std::string all;
    for (const LogLine& line : lines)
      all += (line.level == LogLevel::Info ? "" : "! ") + line.text + "\n";
    return all;
  }

  Spec spec_ = two_streams();
  EventLog log_{spec_};
};

TEST_F(EventLogTest, legs_are_named) {
  EXPECT_EQ(text(log_.note({.kind = EventKind::LegSilent, .leg = 1, .stream = 1, .at = {}})),
            "! news2: leg B silent\n");
  EXPECT_EQ(text(log_.note({.kind = EventKind::LegUp, .leg = 1, .stream = 1, .at = {}})),
            "news2: leg B up\n");
  EXPECT_EQ(
      text(log_.note({.kind = EventKind::EpochChange, .stream = 0, .epoch = 0xbeef, .at = {}})),
      "news1: new epoch 0x0000beef\n");
}

TEST_F(EventLogTest, offsets_that_are_found_and_lost_are_told) {
  EXPECT_EQ(
      text(log_.note(
          {.kind = EventKind::OffsetLocked, .leg = 1, .stream = 0, .offset = -1'200, .at = {}})),
      "news1: leg B offset found: -1200\n");
  EXPECT_EQ(text(log_.note({.kind = EventKind::OffsetLost, .leg = 1, .stream = 0, .at = {}})),
            "! news1: leg B offset lost: learning it anew\n");
}

TEST_F(EventLogTest, gaps_are_one_line_per_stream_and_second) {
  for (std::uint64_t i = 0; i < 1000; ++i)
    EXPECT_TRUE(log_.note(gap(0, 10 * i, 10 * i + 2, GapReason::BothLost)).empty());
  log_.note(gap(0, 20000, 20019, GapReason::Deadline));
  log_.note(gap(1, 5, 5, GapReason::Budget));
  EXPECT_EQ(text(log_.turn()),
            "! news1: 1001 gaps, 3020 positions lost, longest 20 (both_lost 1000, deadline 1)\n"
            "! news2: 1 gaps, 1 positions lost, longest 1 (budget 1)\n");
  EXPECT_EQ(text(log_.turn()), "");
}

TEST_F(EventLogTest, flapping_leg_cannot_flood_the_log) {
  std::size_t lines = 0;
  for (int i = 0; i < 1000; ++i)
    lines += log_.note({.kind = EventKind::LegSilent, .stream = 0, .at = {}}).size();
  EXPECT_EQ(lines, EventLog::kLinesPerTurn);
  EXPECT_EQ(text(log_.turn()), "! 980 more events not logged\n");
  EXPECT_EQ(log_.note({.kind = EventKind::LegUp, .stream = 0, .at = {}}).size(), 1u);
}

TEST_F(EventLogTest, alarm_is_one_line_raised_and_one_cleared) {
  Alarm alarm{.key = {AlarmKind::LegSilent, {.stream = "news1", .leg = "B"}},
              .text = "leg B is silent",
              .raised = {},
              .cleared = {}};
  EXPECT_EQ(text(log_.note(alarm)), "! alarm leg_silent raised: leg B is silent\n");
  alarm.cleared = Instant{12'340'000'000};
  EXPECT_EQ(text(log_.note(alarm)), "! alarm leg_silent cleared: news1/B after 12.3 s\n");
}

TEST_F(EventLogTest, very_many_alarms_at_once_are_counted) {
  const Alarm alarm{.key = {AlarmKind::LinkDown, {.port = "red"}},
                    .text = "no link",
                    .raised = {},
                    .cleared = {}};
  std::size_t lines = 0;
  for (int i = 0; i < 100; ++i) lines += log_.note(alarm).size();
  EXPECT_EQ(lines, EventLog::kLinesPerTurn);
  EXPECT_EQ(text(log_.turn()), "! 80 more alarms raised or cleared: castgate show alarms --all\n");
  EXPECT_EQ(log_.note(alarm).size(), 1u);
}

TEST_F(EventLogTest, gaps_in_very_many_streams_are_summed_up) {
  Spec many;
  for (int i = 0; i < 100; ++i) many.streams.emplace_back().name = fmt::format("news{}", i);
  EventLog log(many);
  for (std::uint16_t i = 0; i < 100; ++i) log.note(gap(i, 1, 1, GapReason::BothLost));
  const auto lines = log.turn();
  ASSERT_EQ(lines.size(), EventLog::kSummariesPerTurn + 1);
  EXPECT_EQ(lines.back().text, "gaps in 80 more streams");
}

TEST_F(EventLogTest, event_of_an_unknown_stream_is_passed_over) {
  EXPECT_TRUE(log_.note({.kind = EventKind::LegUp, .stream = 9, .at = {}}).empty());
}

}  // namespace
}  // namespace castgate
