// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <gtest/gtest.h>

#include "controlplane/report/alarm_report.h"
#include "controlplane/report/rates.h"
#include "controlplane/report/replay_report.h"
#include "controlplane/report/skew_report.h"
#include "controlplane/report/snapshot_tables.h"
#include "controlplane/report/status_text.h"

namespace castgate {
namespace {

LegSnapshot leg(const std::string& name, std::uint64_t packets, std::uint64_t lost) {
  LegSnapshot out;
  out.name = name;
  out.state = LegState::Up;
  out.packets = packets;
  out.lost = lost;
  return out;
}

// Two legs of 16000 positions, one position lost on both, over 16 s.
Snapshot sample() {
  StreamSnapshot news;
  news.name = "news1";
  news.legs = {leg("A", 15840, 160), leg("B", 15841, 159)};
  news.legs[1].late_after_release = 2;
  news.legs[1].late = 1;
  news.legs[1].skew_p50_ns = 5'001'000;
  news.legs[1].skew_p99_ns = 5'250'499;
  news.legs[1].skew_max_ns = 12'000'000;
  news.outputs.emplace_back().name = "main";
  news.outputs[0].packets = 15999;
  news.outputs[0].bytes = 21'982'626;
  news.forwarded = 15999;
  news.recovered = 317;
  news.unrecovered = 1;
  news.gap_max = 1;

  Snapshot out;
  out.streams = {news};
  out.drops[static_cast<std::size_t>(DropReason::Redundant)] = 15682;
  out.drops[static_cast<std::size_t>(DropReason::NoFeed)] = 7;
  out.ledger = {.in = 31688, .created = 0, .out = 15999, .dropped = 15689, .held = 0};
  return out;
}

TEST(TableTest, columns_are_as_narrow_as_their_contents) {
  Table table({{"name", Align::Left}, {"n"}});
  table.add_row({"a", "1000"});
  table.add_row({"longer", "2"});
  EXPECT_EQ(table.to_string(),
            "name       n\n"
            "a       1000\n"
            "longer     2\n");
}

TEST(TableTest, legs_show_what_each_received_lost_and_got_late) {
  EXPECT_EQ(legs_table(sample()).to_string(),
            "stream  leg  state  received  lost  late  skew ms: p50    p99     max\n"
            "news1   A    up        15840   160     0         0.000  0.000   0.000\n"
            "news1   B    up        15841   159     3         5.001  5.250  12.000\n");
}

TEST(TableTest, legs_of_other_numberings_show_their_offset) {
  Snapshot shown = sample();
  shown.streams[0].legs[1].offset = -1'200;
  EXPECT_EQ(legs_table(shown).to_string(),
            "stream  leg  state  received  lost  late  skew ms: p50    p99     max  offset\n"
            "news1   A    up        15840   160     0         0.000  0.000   0.000       -\n"
            "news1   B    up        15841   159     3         5.001  5.250  12.000   -1200\n");
  shown.streams[0].legs[1].offset.reset();
  shown.streams[0].legs[1].state = LegState::Learning;
  EXPECT_NE(legs_table(shown).to_string().find("B    learning"), std::string::npos);
  EXPECT_NE(legs_table(shown).to_string().find("       ?\n"), std::string::npos);
}

TEST(TableTest, streams_over_a_span_tell_the_longest_gap_in_time) {
  EXPECT_EQ(streams_table(sample(), std::chrono::seconds(16)).to_string(),
            "stream  forwarded  recovered  unrecovered   longest gap    saved  protection\n"
            "news1       15999        317            1  1 (1.000 ms)  99.68 %  partial\n");
}

TEST(TableTest, streams_of_a_running_appliance_tell_the_legs_that_are_up) {
  EXPECT_EQ(streams_table(sample()).to_string(),
            "stream  forwarded  recovered  unrecovered  longest gap    saved  legs up\n"
            "news1       15999        317            1            1  99.68 %      2/2\n");
}

TEST(TableTest, losses_of_all_legs_are_told_beside_what_chance_would_give) {
  EXPECT_EQ(losses_table(sample()).to_string(),
            "stream  lost, all legs  unrecovered  by chance  correlated loss\n"
            "news1              319            1       1.59  0.6 times chance\n");
  Snapshot whole = sample();
  whole.streams[0].legs[1].lost = 0;
  EXPECT_TRUE(losses_table(whole).empty());
}

TEST(TableTest, skew_is_shown_by_bucket) {
  Snapshot shown = sample();
  shown.streams[0].legs[0].skew.add(0, 250);
  shown.streams[0].legs[1].skew.add(4'500'000, 249);
  shown.streams[0].legs[1].skew.add(5'500'000, 1);
  EXPECT_EQ(skew_table(shown).to_string(),
            "stream  leg  skew ms: from   below  positions     share\n"
            "news1   A           0.0000  0.0001        250  100.00 %  " +
                std::string(40, '#') +
                "\n"
                "news1   B           4.1943  5.2429        249   99.60 %  " +
                std::string(40, '#') +
                "\n"
                "news1   B           5.2429  6.2915          1    0.40 %  #\n");
}

TEST(TableTest, alarms_are_a_line_each_with_what_mends_them) {
  EXPECT_EQ(alarms_text({{"alarms", nlohmann::json::array()}}), "no alarms\n");
  Alarm alarm{.key = {AlarmKind::LegSilent, {.stream = "news1", .leg = "B"}},
              .text = "look for it",
              .raised = {},
              .cleared = {}};
  nlohmann::json reply;
  reply["alarms"].push_back(to_json(alarm, std::chrono::seconds(10)));
  EXPECT_EQ(alarms_text(reply),
            "severity  alarm       where    raised                times  text\n"
            "major     leg_silent  news1/B  1970-01-01T00:00:10Z      1  look for it\n");
  alarm.key = {AlarmKind::WorkerStalled, {.core = 5}};
  alarm.cleared = Instant{5'000'000'000};
  reply["alarms"] = nlohmann::json::array();
  reply["cleared"].push_back(to_json(alarm, std::chrono::seconds(10)));
  EXPECT_EQ(alarms_text(reply),
            "severity  alarm           where   raised                cleared               times"
            "  text\n"
            "critical  worker_stalled  core 5  1970-01-01T00:00:10Z  1970-01-01T00:00:15Z      1"
            "  look for it\n");
}

TEST(TableTest, one_loss_in_a_million_is_not_all_saved) {
  Snapshot nearly = sample();
  nearly.streams[0].recovered = 999'999;
  const std::string text = streams_table(nearly).to_string();
  EXPECT_NE(text.find(" 99.99 %"), std::string::npos) << text;
}

TEST(TableTest, drops_are_told_with_their_meaning) {
  EXPECT_EQ(drops_table(sample().drops).to_string(),
            "dropped  reason     meaning\n"
            "      7  no_feed    no leg has this port, VLAN, destination and UDP port\n"
            "  15682  redundant  another leg's copy of this position has left already\n");
  EXPECT_TRUE(drops_table({}).empty());
}

TEST(TableTest, ports_and_workers_have_a_line_each) {
  Snapshot shown;
  PortSnapshot& port = shown.ports.emplace_back();
  port.name = "red";
  port.device = "0000:3b:00.0";
  port.link_up = true;
  port.reception = "mc_addr_list";
  port.rx_packets = 12;
  port.rx_missed = 1;
  port.rx_no_buffer = 2;
  port.drops[0] = 3;
  shown.workers.push_back(
      {.core = 1, .loops = 1000, .busy_loops = 250, .packets = 12, .streams = 4});
  EXPECT_EQ(ports_table(shown).to_string(),
            "port  link  received  missed  dropped  punted  sent  reception     device\n"
            "red   up          12       3        3       0     0  mc_addr_list  0000:3b:00.0\n");
  EXPECT_EQ(workers_table(shown).to_string(),
            "core  streams  packets  loops    busy  stalls\n"
            "   1        4       12   1000  25.0 %       0\n");
}

TEST(TableTest, ledger_says_whether_it_balances) {
  EXPECT_EQ(ledger_line(sample().ledger),
            "ledger: in 31688 + created 0 = out 15999 + dropped 15689 + held 0: balances");
  EXPECT_EQ(ledger_line({.in = 2, .created = 0, .out = 1, .dropped = 0, .held = 0}),
            "ledger: in 2 + created 0 = out 1 + dropped 0 + held 0: DOES NOT BALANCE");
}

TEST(TableTest, every_line_of_a_replay_stays_under_100_columns) {
  ReplayResult result;
  result.snapshot = sample();
  result.snapshot.drops.fill(99'999'999);
  result.span = std::chrono::hours(1);
  const std::string text = replay_text(result, {});
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    EXPECT_LE(text.find('\n', at) - at, 100u) << text.substr(at, text.find('\n', at) - at);
}

TEST(TableTest, rates_are_differences_over_the_time_between) {
  Snapshot before = sample();
  Snapshot after = sample();
  after.streams[0].legs[0].packets += 2000;
  after.streams[0].outputs[0].packets += 1000;
  after.streams[0].outputs[0].bytes += 1'000'000;
  after.streams[0].recovered += 4;
  EXPECT_EQ(stream_rates_table(before, after, std::chrono::seconds(2)).to_string(),
            "stream  legs up  in pps  out pps  out Mbit/s  recovered/s  unrecovered/s\n"
            "news1       2/2    1000      500        4.00            2              0\n");
}

TEST(TableTest, counters_that_begin_anew_are_told_from_zero) {
  Snapshot before;
  before.ports.emplace_back().name = "red";
  before.ports[0].rx_packets = 1'000'000;
  Snapshot after = before;
  after.ports[0].rx_packets = 50;
  EXPECT_EQ(port_rates_table(before, after, std::chrono::seconds(1)).to_string(),
            "port  link  in pps  in Mbit/s  missed/s  out pps  out Mbit/s\n"
            "red   down      50       0.00         0        0        0.00\n");
}

TEST(TableTest, status_begins_with_name_uptime_and_alarms) {
  const nlohmann::json calm{{"appliance", "edge-1"}, {"uptime_seconds", 90061.5}};
  EXPECT_EQ(status_line(calm), "edge-1, up 1 d 01:01:01, no alarms");
  nlohmann::json loud = calm;
  loud["alarms"] = {{{"severity", "minor"}}, {{"severity", "critical"}}, {{"severity", "minor"}}};
  EXPECT_EQ(status_line(loud),
            "edge-1, up 1 d 01:01:01, 3 alarms (1 critical, 2 minor): castgate show alarms");
}

}  // namespace
}  // namespace castgate
