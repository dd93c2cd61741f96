// SPDX-License-Identifier: Apache-2.0
// The event log: each line is a JSON object, none is torn or silently missing.
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "controlplane/conductor/journal.h"
#include "controlplane/report/event_lines.h"
#include "controlplane/report/wall_time.h"
#include "tests/support/program.h"

namespace castgate {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    StreamSpec& stream = spec_.streams.emplace_back();
    stream.name = "news1";
    for (const char* name : {"A", "B", "C"}) stream.legs.emplace_back().name = name;
  }

  static Event gap(std::uint64_t from, std::uint64_t to) {
    return {.kind = EventKind::Gap,
            .reason = GapReason::Deadline,
            .legs = 0b101,
            .stream = 0,
            .epoch = 7,
            .from = from,
            .to = to,
            .at = {}};
  }
  static Alarm alarm() {
    return {.key = {AlarmKind::LegSilent, {.stream = "news1", .leg = "B"}},
            .text = "say \"why\"",
            .raised = {},
            .cleared = {}};
  }
  std::vector<json> lines(const std::string& name = "events") const {
    std::vector<json> all;
    std::istringstream text(scratch_.read(name));
    for (std::string line; std::getline(text, line);) all.push_back(json::parse(line));
    return all;
  }

  test::Scratch scratch_;
  Spec spec_;
};

TEST_F(JournalTest, moments_are_written_as_rfc_3339_has_them) {
  EXPECT_EQ(wall_time({}), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(wall_time({1'700'000'000'123'456'789}), "2023-11-14T22:13:20.123456789Z");
  EXPECT_EQ(wall_time({-1}), "1969-12-31T23:59:59.999999999Z");
}

TEST_F(JournalTest, gap_names_its_positions_and_the_legs_that_were_up) {
  EXPECT_EQ(json::parse(event_line(spec_, gap(10, UINT64_MAX), {})),
            json({{"at", "1970-01-01T00:00:00.000000000Z"},
                  {"event", "gap"},
                  {"stream", "news1"},
                  {"epoch", 7},
                  {"from", 10},
                  {"to", UINT64_MAX},
                  {"reason", "deadline"},
                  {"legs", {"A", "C"}}}));
}

TEST_F(JournalTest, changes_of_a_leg_and_of_the_epoch_have_no_positions) {
  const json silent = json::parse(
      event_line(spec_, {.kind = EventKind::LegSilent, .leg = 1, .stream = 0, .at = {}}, {}));
  EXPECT_EQ(silent.at("event"), "leg_silent");
  EXPECT_EQ(silent.at("leg"), "B");
  EXPECT_FALSE(silent.contains("from"));
  const json epoch = json::parse(event_line(
      spec_, {.kind = EventKind::EpochChange, .stream = 0, .epoch = 0xbeef, .at = {}}, {}));
  EXPECT_EQ(epoch.at("epoch"), 0xbeef);
  EXPECT_EQ(event_line(spec_, {.kind = EventKind::LegUp, .stream = 9, .at = {}}, {}), "");
}

TEST_F(JournalTest, offset_that_is_found_stands_in_its_line) {
  const json found = json::parse(event_line(
      spec_, {.kind = EventKind::OffsetLocked, .leg = 1, .stream = 0, .offset = -7, .at = {}}, {}));
  EXPECT_EQ(found.at("event"), "offset_locked");
  EXPECT_EQ(found.at("offset"), -7);
}

TEST_F(JournalTest, alarms_are_lines_of_the_same_log) {
  Alarm one = alarm();
  EXPECT_EQ(json::parse(alarm_line(one, {})), json({{"at", "1970-01-01T00:00:00.000000000Z"},
                                                    {"event", "alarm_raised"},
                                                    {"id", "leg_silent/news1/B"},
                                                    {"alarm", "leg_silent"},
                                                    {"severity", "major"},
                                                    {"stream", "news1"},
                                                    {"leg", "B"},
                                                    {"text", "say \"why\""}}));
  one.cleared = Instant{5};
  EXPECT_EQ(json::parse(alarm_line(one, {})).at("event"), "alarm_cleared");
}

TEST_F(JournalTest, client_that_is_gone_is_a_line_with_its_reason) {
  spec_.appliance.event_log = scratch_ / "events";
  const ClientGone gone{.name = {"news1", "homes"},
                        .address = Endpoint::parse("[2001:db8::7]:6000").value(),
                        .id = ClientId::random(),
                        .door = "rest",
                        .reason = "unreachable",
                        .at = {}};
  Journal journal(spec_);
  ASSERT_TRUE(journal.open().has_value());
  journal.note(gone, {});
  journal.finish();
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_EQ(lines()[0], json({{"at", "1970-01-01T00:00:00.000000000Z"},
                              {"event", "client_gone"},
                              {"stream", "news1"},
                              {"output", "homes"},
                              {"address", "[2001:db8::7]:6000"},
                              {"id", gone.id.to_string()},
                              {"door", "rest"},
                              {"reason", "unreachable"}}));
}

TEST_F(JournalTest, every_event_is_written_however_many_there_are) {
  spec_.appliance.event_log = scratch_ / "events";
  Journal journal(spec_);
  ASSERT_TRUE(journal.open().has_value());
  for (std::uint64_t i = 0; i < 30'000; ++i) {
    journal.note(gap(i, i), {});
    if (i % 1000 == 0) journal.flush();
  }
  journal.note(alarm(), {});
  journal.finish();
  const auto all = lines();
  ASSERT_EQ(all.size(), 30'001u);
  EXPECT_EQ(all[29'999].at("from"), 29'999);
  EXPECT_EQ(all.back().at("event"), "alarm_raised");
  EXPECT_EQ(journal.lost(), 0u);
}

TEST_F(JournalTest, log_is_appended_to_and_begins_anew_where_it_was_renamed) {
  spec_.appliance.event_log = scratch_ / "events";
  for (int i = 0; i < 2; ++i) {
    Journal journal(spec_);
    ASSERT_TRUE(journal.open().has_value());
    journal.note(gap(1, 1), {});
    journal.finish();
  }
  EXPECT_EQ(lines().size(), 2u);
  Journal journal(spec_);
  ASSERT_TRUE(journal.open().has_value());
  journal.note(gap(2, 2), {});
  std::filesystem::rename(scratch_ / "events", scratch_ / "events.1");
  journal.reopen();
  journal.note(gap(3, 3), {});
  journal.finish();
  EXPECT_EQ(lines("events.1").size(), 3u);
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_EQ(lines()[0].at("from"), 3);
}

TEST_F(JournalTest, events_that_found_their_ring_full_are_a_line_that_counts_them) {
  spec_.appliance.event_log = scratch_ / "events";
  Journal journal(spec_);
  ASSERT_TRUE(journal.open().has_value());
  journal.miss(17, {});
  journal.finish();
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_EQ(lines()[0].at("event"), "events_lost");
  EXPECT_EQ(lines()[0].at("count"), 17);
  EXPECT_EQ(journal.lost(), 17u);
}

// A FIFO whose reader does not read takes 64 KiB; the journal keeps some more, then counts.
TEST_F(JournalTest, reader_that_does_not_read_holds_nobody_up_and_is_told_what_it_missed) {
  spec_.appliance.event_log = scratch_ / "fifo";
  ASSERT_EQ(::mkfifo((scratch_ / "fifo").c_str(), 0600), 0);
  Journal journal(spec_);
  ASSERT_FALSE(journal.open().has_value());  // nobody reads
  const int reader = ::open((scratch_ / "fifo").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_TRUE(journal.open().has_value());
  constexpr std::uint64_t kEvents = 100'000;
  for (std::uint64_t i = 0; i < kEvents; ++i) journal.note(gap(i, i), {});
  journal.flush();
  EXPECT_GT(journal.lost(), 1000u);
  std::string text;
  const auto read_all = [&] {
    for (unsigned turn = 0; turn < 10'000; ++turn) {
      journal.flush();
      char part[65536];
      const ssize_t got = ::read(reader, part, sizeof part);
      if (got <= 0) return;
      text.append(part, static_cast<std::size_t>(got));
    }
  };
  read_all();
  journal.note(gap(kEvents, kEvents), {});
  read_all();
  ::close(reader);
  std::uint64_t told = 0;
  std::uint64_t missed = 0;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) {
    const json one = json::parse(line);
    if (one.at("event") == "gap") ++told;
    if (one.at("event") == "events_lost") missed += one.at("count").get<std::uint64_t>();
  }
  EXPECT_EQ(missed, journal.lost());
  EXPECT_EQ(told + missed, kEvents + 1);
}

TEST_F(JournalTest, reader_that_goes_is_a_fault_and_no_signal) {
  spec_.appliance.event_log = scratch_ / "fifo";
  ASSERT_EQ(::mkfifo((scratch_ / "fifo").c_str(), 0600), 0);
  const int reader = ::open((scratch_ / "fifo").c_str(), O_RDONLY | O_NONBLOCK);
  Journal journal(spec_);
  ASSERT_TRUE(journal.open().has_value());
  EXPECT_EQ(journal.fault(), "");
  ::close(reader);
  journal.note(gap(1, 1), {});
  journal.flush();
  EXPECT_EQ(journal.fault(), "Broken pipe");
}

TEST_F(JournalTest, file_that_cannot_be_opened_is_refused_with_its_name) {
  spec_.appliance.event_log = scratch_ / "none/events";
  Journal journal(spec_);
  const auto opened = journal.open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().text, "event_log " + spec_.appliance.event_log +
                                     ": No such file or directory; name another file");
}

}  // namespace
}  // namespace castgate
