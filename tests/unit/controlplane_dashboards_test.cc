// SPDX-License-Identifier: Apache-2.0
// deploy/dashboards: what is queried there is what castgate tells, and promtool can read all of it.
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include <gtest/gtest.h>

#include "controlplane/admin/metrics.h"
#include "tests/support/numbered_snapshot.h"
#include "tests/support/program.h"

namespace castgate {
namespace {

using nlohmann::json;

std::filesystem::path source(const char* file) {
  return std::filesystem::path(CG_SOURCE_ROOT) / file;
}

std::string read(const char* file) {
  std::ifstream in(source(file));
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> found(const std::string& text, const std::string& pattern, int group = 0) {
  const std::regex expression(pattern);
  std::vector<std::string> all;
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at)
    all.push_back((*at)[static_cast<std::size_t>(group)]);
  return all;
}

// One line for each series, as Prometheus reads them.
std::string page() {
  Status status;
  status.name = "edge-1";
  status.snapshot = test::numbered();
  for (AlarmSubject of : {AlarmSubject{.stream = "news1", .leg = "A"}, AlarmSubject{.core = 7},
                          AlarmSubject{.port = "red"}})
    status.alarms.push_back(
        {.key = {AlarmKind::LegSilent, std::move(of)}, .text = "", .raised = {}, .cleared = {}});
  return metrics_text(status);
}

// The labels that a metric has in some series; empty where there is no such metric.
std::set<std::string> labels_of(const std::string& metric) {
  static const std::string text = page();
  std::set<std::string> labels;
  for (const std::string& series : found(text, "(^|\n)" + metric + R"((\{[^\n]*\})? )")) {
    labels.insert("");
    for (std::string& label : found(series, R"(([a-z]+)=")", 1)) labels.insert(std::move(label));
  }
  return labels;
}

std::vector<json> panels() {
  const json dashboard = json::parse(read("deploy/dashboards/castgate.json"));
  return dashboard.at("panels");
}

std::vector<json> targets() {
  std::vector<json> all;
  for (const json& panel : panels())
    for (const json& target : panel.value("targets", json::array())) all.push_back(target);
  EXPECT_GT(all.size(), 30u);
  return all;
}

TEST(DashboardsTest, every_metric_that_is_queried_is_told) {
  const auto metrics =
      found(read("deploy/dashboards/castgate.json") + read("deploy/dashboards/alerts.yaml"),
            "castgate_[a-z0-9_]+");
  EXPECT_GT(metrics.size(), 50u);
  for (const std::string& metric : metrics)
    EXPECT_FALSE(labels_of(metric).empty()) << "castgate tells no " << metric;
}

TEST(DashboardsTest, every_label_that_is_shown_or_selected_by_is_there) {
  const std::set<std::string> of_the_scrape{"instance", "job"};
  for (const json& target : targets()) {
    const auto expression = target.at("expr").get<std::string>();
    std::set<std::string> known = of_the_scrape;
    for (const std::string& metric : found(expression, "castgate_[a-z0-9_]+"))
      known.merge(labels_of(metric));
    for (const std::string& label :
         found(target.at("legendFormat").get<std::string>(), R"(\{\{([a-z]+)\}\})", 1))
      EXPECT_TRUE(known.contains(label)) << label << " in " << target;
    for (const std::string& label : found(expression, R"(([a-z]+)!?=~?")", 1))
      EXPECT_TRUE(known.contains(label)) << label << " in " << target;
  }
}

TEST(DashboardsTest, states_are_shown_by_their_names) {
  for (const json& panel : panels()) {
    if (panel.value("type", "") != "state-timeline") continue;
    const json& names = panel.at("fieldConfig").at("defaults").at("mappings").at(0).at("options");
    ASSERT_EQ(names.size(), kLegStateNames.size());
    for (std::size_t s = 0; s < kLegStateNames.size(); ++s)
      EXPECT_EQ(names.at(std::to_string(s)).at("text"), kLegStateNames[s]);
    return;
  }
  FAIL() << "no panel of states";
}

TEST(DashboardsTest, panels_have_numbers_and_places_of_their_own) {
  std::set<int> numbers;
  std::set<std::pair<int, int>> taken;
  for (const json& panel : panels()) {
    EXPECT_TRUE(numbers.insert(panel.at("id").get<int>()).second) << panel.at("title");
    const json& place = panel.at("gridPos");
    EXPECT_LE(place.at("x").get<int>() + place.at("w").get<int>(), 24) << panel.at("title");
    for (int x = place.at("x"); x < place.at("x").get<int>() + place.at("w").get<int>(); ++x)
      for (int y = place.at("y"); y < place.at("y").get<int>() + place.at("h").get<int>(); ++y)
        EXPECT_TRUE(taken.insert({x, y}).second) << panel.at("title") << " lies on another";
  }
}

class PromtoolTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v promtool >/dev/null") != 0)
      GTEST_SKIP() << "promtool is not installed: package prometheus";
  }
};

// A rule for each query: promtool reads no dashboards.
TEST_F(PromtoolTest, queries_are_ones_that_prometheus_reads) {
  std::string rules = "groups: [{name: panels, rules: [";
  for (const json& target : targets()) {
    auto query = target.at("expr").get<std::string>();
    query = std::regex_replace(query, std::regex(R"(\$__rate_interval)"), "1m");
    rules +=
        fmt::format("\n{{record: \"queried{}\", expr: {}}},", rules.size(), json(query).dump());
  }
  const test::Scratch scratch;
  const test::Outcome judged =
      test::run("promtool check rules " + scratch.write("rules.yaml", rules + "]}]\n"));
  EXPECT_EQ(judged.exit_code, 0) << judged.out << judged.err;
}

TEST_F(PromtoolTest, alerts_are_ones_that_prometheus_reads) {
  const test::Outcome judged =
      test::run("promtool check rules " + source("deploy/dashboards/alerts.yaml").string());
  EXPECT_EQ(judged.exit_code, 0) << judged.out << judged.err;
}

TEST_F(PromtoolTest, alerts_say_when_somebody_is_to_be_woken) {
  const test::Outcome judged =
      test::run("promtool test rules " + source("tests/unit/alerts.promtool.yaml").string());
  EXPECT_EQ(judged.exit_code, 0) << judged.out << judged.err;
}

}  // namespace
}  // namespace castgate
