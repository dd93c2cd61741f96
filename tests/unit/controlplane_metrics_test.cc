// SPDX-License-Identifier: Apache-2.0
// What Prometheus is told, read by a reader of this test's own and by promtool.
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include <gtest/gtest.h>

#include "controlplane/admin/metrics.h"
#include "tests/support/numbered_snapshot.h"
#include "tests/support/program.h"

namespace castgate {
namespace {

// A page of metrics by its lines: `name{label="value"}` and the number.
struct Page {
  explicit Page(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("# TYPE ")) {
        const std::size_t blank = line.find(' ', 7);
        EXPECT_TRUE(types.emplace(line.substr(7, blank - 7), line.substr(blank + 1)).second)
            << line;
      } else if (line.starts_with("# HELP ")) {
        const std::size_t blank = line.find(' ', 7);
        EXPECT_TRUE(helps.emplace(line.substr(7, blank - 7), line.substr(blank + 1)).second)
            << line;
      } else {
        const std::size_t blank = line.rfind(' ');
        const double value = std::strtod(line.c_str() + blank, nullptr);
        EXPECT_TRUE(series.emplace(line.substr(0, blank), value).second) << "twice: " << line;
      }
    }
  }
  double at(const std::string& what) const {
    const auto found = series.find(what);
    EXPECT_NE(found, series.end()) << "no " << what;
    return found == series.end() ? -1 : found->second;
  }
  std::size_t count(const std::string& begins) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        series, [&](const auto& one) { return one.first.starts_with(begins); }));
  }

  std::map<std::string, std::string> types;
  std::map<std::string, std::string> helps;
  std::map<std::string, double> series;
};

Status numbered_status() {
  Status status;
  status.name = "edge-1";
  status.snapshot = test::numbered();
  test::number(kDoorCounters, status.doors.emplace_back("rest").counters, 600);
  test::number(kIcmpCounters, status.icmp, 700);
  return status;
}

Page page_of(const Status& status) {
  return Page(metrics_text(status));
}

// By the rules that the reference tells, not by the code that follows them.
template <class Counters>
void expect_counters(const Page& page, const std::string& begins, const Counters& counters,
                     const std::string& labels, double from) {
  for (const auto& counter : counters) {
    std::string name = begins + std::string(counter.name);
    double value = from++;
    if (counter.unit == Unit::Time) {
      ASSERT_TRUE(name.ends_with("_ns"));
      name = name.substr(0, name.size() - 3) + "_seconds";
      value /= 1e9;
    }
    if (counter.measure == Measure::Sum) name += "_total";
    EXPECT_DOUBLE_EQ(page.at(name + labels), value);
    EXPECT_EQ(page.count(name + '{') + page.series.count(name), 1u) << name;
    EXPECT_EQ(page.types.at(name), counter.measure == Measure::Sum ? "counter" : "gauge");
    EXPECT_NE(page.helps.at(name).find(counter.meaning), std::string::npos);
  }
}

TEST(MetricsTest, every_counter_of_the_tables_is_there_once_with_its_value) {
  const Page page = page_of(numbered_status());
  expect_counters(page, "castgate_stream_", kStreamCounters, R"({stream="news1"})", 100);
  expect_counters(page, "castgate_leg_", kLegCounters, R"({stream="news1",leg="A"})", 200);
  expect_counters(page, "castgate_output_", kOutputCounters, R"({stream="news1",output="main"})",
                  300);
  expect_counters(page, "castgate_unicast_", kUnicastCounters, R"({stream="news1",output="homes"})",
                  350);
  expect_counters(page, "castgate_port_", kPortCounters, R"({port="red"})", 400);
  expect_counters(page, "castgate_worker_", kWorkerCounters, R"({core="7"})", 500);
  expect_counters(page, "castgate_door_", kDoorCounters, R"({door="rest"})", 600);
  expect_counters(page, "castgate_icmp_", kIcmpCounters, "", 700);
}

TEST(MetricsTest, names_that_dashboards_rely_on) {
  const Page page = page_of(numbered_status());
  EXPECT_EQ(page.types.at("castgate_leg_lost_total"), "counter");
  EXPECT_EQ(page.types.at("castgate_leg_skew_p99_seconds"), "gauge");
  EXPECT_EQ(page.types.at("castgate_stream_held"), "gauge");
  EXPECT_EQ(page.types.at("castgate_unicast_clients"), "gauge");
  EXPECT_EQ(page.types.at("castgate_unicast_max_clients"), "gauge");
  EXPECT_EQ(page.types.at("castgate_worker_streams"), "gauge");
  EXPECT_EQ(page.helps.at("castgate_leg_late_total"), "packets: older than the merge window");
}

TEST(MetricsTest, names_are_ones_that_prometheus_takes) {
  const std::regex name("castgate(_[a-z0-9]+)+");
  const Page page = page_of(numbered_status());
  EXPECT_GT(page.types.size(), 90u);
  for (const auto& [one, type] : page.types) {
    EXPECT_TRUE(std::regex_match(one, name)) << one;
    EXPECT_EQ(one.ends_with("_total"), type == "counter") << one;
    EXPECT_FALSE(page.helps.at(one).empty()) << one;
  }
  EXPECT_EQ(page.types.size(), page.helps.size());
}

TEST(MetricsTest, each_object_has_lines_of_its_own) {
  Status status = numbered_status();
  StreamSnapshot second = status.snapshot.streams[0];
  second.name = "sports";
  second.legs.push_back(second.legs[0]);
  second.legs[1].name = "B";
  second.legs[1].packets = 7;
  status.snapshot.streams.push_back(second);
  const Page page = page_of(status);
  EXPECT_EQ(page.at(R"(castgate_leg_packets_total{stream="sports",leg="B"})"), 7);
  EXPECT_EQ(page.at(R"(castgate_leg_packets_total{stream="sports",leg="A"})"), 200);
  EXPECT_EQ(page.count("castgate_leg_packets_total{"), 3u);
}

TEST(MetricsTest, drops_have_every_reason_and_ports_those_that_they_can_have) {
  Status status = numbered_status();
  for (std::size_t r = 0; r < kDropReasons; ++r) status.snapshot.drops[r] = 1000 + r;
  const Page page = page_of(status);
  EXPECT_EQ(page.count("castgate_drops_total{"), kDropReasons);
  for (std::size_t r = 0; r < kDropReasons; ++r) {
    const DropReasonInfo& reason = kDropReasonTable[r];
    EXPECT_EQ(page.at("castgate_drops_total{stage=\"" + std::string(reason.stage) + "\",reason=\"" +
                      std::string(reason.name) + "\"}"),
              1000 + static_cast<double>(r));
  }
  EXPECT_EQ(
      page.at(R"(castgate_port_drops_total{port="red",stage="classify",reason="ip_bad_header"})"),
      33);
  EXPECT_EQ(page.at(R"(castgate_port_drops_total{port="red",stage="transmit",reason="tx_full"})"),
            0);
  EXPECT_EQ(page.count(R"(castgate_port_drops_total{port="red",stage="failover")"), 0u);
}

TEST(MetricsTest, states_are_numbers_that_the_help_explains) {
  Status status = numbered_status();
  LegSnapshot& leg = status.snapshot.streams[0].legs[0];
  const std::string of_leg = R"({stream="news1",leg="A"})";
  EXPECT_EQ(page_of(status).at("castgate_leg_up" + of_leg), 0);
  EXPECT_EQ(page_of(status).at("castgate_leg_state" + of_leg), 2);
  EXPECT_EQ(page_of(status).helps.at("castgate_leg_state"),
            "state of the leg: 0 waiting, 1 up, 2 silent, 3 diverged, 4 degraded, 5 restoring, "
            "6 locked_out, 7 learning");
  EXPECT_EQ(page_of(status).count("castgate_leg_offset{"), 0u);
  leg.state = LegState::Restoring;
  leg.offset = -1200;
  EXPECT_EQ(page_of(status).at("castgate_leg_up" + of_leg), 1);
  EXPECT_EQ(page_of(status).at("castgate_leg_state" + of_leg), 5);
  EXPECT_EQ(page_of(status).at("castgate_leg_offset" + of_leg), -1200);
  EXPECT_EQ(page_of(status).at(R"(castgate_port_link_up{port="red"})"), 1);
}

TEST(MetricsTest, skew_is_a_histogram_in_seconds) {
  Status status = numbered_status();
  SkewHistogram& skew = status.snapshot.streams[0].legs[0].skew;
  skew.add(0, 5);           // the leg was the first
  skew.add(2'000'000, 3);   // below 2^21 ns
  skew.add(2'100'000, 2);   // from 2^21 ns on
  skew.add(2'000'000'000);  // above the last bound
  const Page page = page_of(status);
  const auto bucket = [&](const std::string& bound) {
    return page.at(R"(castgate_leg_skew_seconds_bucket{stream="news1",leg="A",le=")" + bound +
                   "\"}");
  };
  EXPECT_EQ(bucket("1.024e-06"), 5);
  EXPECT_EQ(bucket("0.001048576"), 5);
  EXPECT_EQ(bucket("0.002097152"), 8);
  EXPECT_EQ(bucket("0.004194304"), 10);
  EXPECT_EQ(bucket("1.073741824"), 10);
  EXPECT_EQ(bucket("+Inf"), 11);
  EXPECT_EQ(page.count("castgate_leg_skew_seconds_bucket"), 22u);
  EXPECT_EQ(page.at(R"(castgate_leg_skew_seconds_count{stream="news1",leg="A"})"), 11);
  const double sum = page.at(R"(castgate_leg_skew_seconds_sum{stream="news1",leg="A"})");
  const double exact = 3 * 0.002 + 2 * 0.0021 + 2;
  EXPECT_NEAR(sum, exact, 0.12 * exact);
  EXPECT_EQ(page.types.at("castgate_leg_skew_seconds"), "histogram");
}

TEST(MetricsTest, ledger_tells_what_is_missing_with_its_sign) {
  Status status = numbered_status();
  status.snapshot.ledger = {.in = 100, .created = 20, .out = 90, .dropped = 25, .held = 5};
  EXPECT_EQ(page_of(status).at("castgate_ledger_difference_packets"), 0);
  EXPECT_EQ(page_of(status).at("castgate_ledger_created_total"), 20);
  EXPECT_EQ(page_of(status).at("castgate_ledger_held"), 5);
  status.snapshot.ledger.out = 88;
  EXPECT_EQ(page_of(status).at("castgate_ledger_difference_packets"), 2);
  status.snapshot.ledger.out = 93;
  EXPECT_EQ(page_of(status).at("castgate_ledger_difference_packets"), -3);
}

TEST(MetricsTest, alarms_are_counted_by_kind_and_told_one_by_one) {
  Status status = numbered_status();
  const auto raise = [&](AlarmKind kind, AlarmSubject of) {
    status.alarms.push_back(
        {.key = {kind, std::move(of)}, .text = "", .raised = {}, .cleared = {}});
  };
  raise(AlarmKind::LegSilent, {.stream = "news1", .leg = "A"});
  raise(AlarmKind::LegSilent, {.stream = "news1", .leg = "B"});
  raise(AlarmKind::WorkerStalled, {.core = 7});
  status.cleared = {status.alarms[0]};
  const Page page = page_of(status);
  EXPECT_EQ(page.at(R"(castgate_alarms{alarm="leg_silent",severity="major"})"), 2);
  EXPECT_EQ(page.at(R"(castgate_alarms{alarm="link_down",severity="major"})"), 0);
  EXPECT_EQ(page.count("castgate_alarms{"), kAlarmKinds);
  EXPECT_EQ(
      page.at(R"(castgate_alarm{alarm="leg_silent",severity="major",stream="news1",leg="B"})"), 1);
  EXPECT_EQ(page.at(R"(castgate_alarm{alarm="worker_stalled",severity="critical",core="7"})"), 1);
  EXPECT_EQ(page.count("castgate_alarm{"), 3u);
}

TEST(MetricsTest, appliance_tells_its_version_and_when_it_was_started) {
  Status status = numbered_status();
  status.started = {1'700'000'409'500'000'000};
  status.uptime = std::chrono::milliseconds(90'500);
  const Page page = page_of(status);
  EXPECT_EQ(page.count(R"(castgate_info{appliance="edge-1",version=")"), 1u);
  EXPECT_EQ(page.at("castgate_uptime_seconds"), 90.5);
  EXPECT_EQ(page.at("castgate_start_time_seconds"), 1'700'000'409.5);
}

TEST(MetricsTest, labels_are_escaped_and_always_utf8) {
  Status status = numbered_status();
  status.snapshot.ports[0].device = "a\"b\\c\nd\xff";
  EXPECT_EQ(
      page_of(status).at("castgate_port_info{port=\"red\",device=\"a\\\"b\\\\c\\nd\xef\xbf\xbd"
                         "\",reception=\"promiscuous\"}"),
      1);
}

TEST(MetricsTest, socket_says_the_same) {
  const Status status = numbered_status();
  const auto reply =
      nlohmann::json::parse(answer(R"({"show": "metrics"})", [&] { return Status(status); }));
  EXPECT_EQ(reply, nlohmann::json({{"metrics", metrics_text(status)}}));
}

TEST(MetricsTest, promtool_finds_nothing_wrong) {
  if (std::system("command -v promtool >/dev/null") != 0)
    GTEST_SKIP() << "promtool is not installed: package prometheus";
  Status status = numbered_status();
  status.alarms.push_back({.key = {AlarmKind::LegSilent, {.stream = "news1", .leg = "A"}},
                           .text = "",
                           .raised = {},
                           .cleared = {}});
  status.snapshot.streams[0].legs[0].offset = 3;
  const test::Scratch scratch;
  const std::string page = scratch.write("page", metrics_text(status));
  const test::Outcome judged = test::run("promtool check metrics <" + page);
  EXPECT_EQ(judged.exit_code, 0) << judged.out << judged.err;
  EXPECT_EQ(judged.err, "");
}

}  // namespace
}  // namespace castgate
