// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "controlplane/report/replay_report.h"
#include "controlplane/report/skew_report.h"
#include "controlplane/report/snapshot_json.h"
#include "dataplane/contract/counters.h"
#include "tests/support/numbered_snapshot.h"

namespace castgate {
namespace {

using test::numbered;

template <class Counters>
void expect_counters(const nlohmann::json& json, const Counters& counters, std::uint64_t from) {
  for (const auto& counter : counters) {
    ASSERT_TRUE(json.contains(counter.name)) << counter.name;
    EXPECT_EQ(json[std::string(counter.name)], from++) << counter.name;
  }
}

TEST(SnapshotJsonTest, offset_is_a_number_with_a_sign_or_nothing) {
  Snapshot shown = numbered();
  EXPECT_TRUE(to_json(shown)["streams"][0]["legs"][0]["offset"].is_null());
  EXPECT_FALSE(snapshot_from_json(to_json(shown))->streams[0].legs[0].offset);
  shown.streams[0].legs[0].offset = -7;
  shown.streams[0].legs[0].state = LegState::Learning;
  const Snapshot back = snapshot_from_json(to_json(shown)).value();
  EXPECT_EQ(back.streams[0].legs[0].offset, -7);
  EXPECT_EQ(back.streams[0].legs[0].state, LegState::Learning);
}

TEST(SnapshotJsonTest, every_counter_of_the_tables_is_there) {
  const nlohmann::json json = to_json(numbered());
  expect_counters(json["streams"][0], kStreamCounters, 100);
  expect_counters(json["streams"][0]["legs"][0], kLegCounters, 200);
  expect_counters(json["streams"][0]["outputs"][0], kOutputCounters, 300);
  expect_counters(json["streams"][0]["unicasts"][0], kUnicastCounters, 350);
  EXPECT_EQ(to_json(snapshot_from_json(json).value()), json);
  expect_counters(json["ports"][0], kPortCounters, 400);
  expect_counters(json["workers"][0], kWorkerCounters, 500);
}

TEST(SnapshotJsonTest, drops_are_named_and_those_of_zero_left_out) {
  const nlohmann::json drops = to_json(numbered().drops);
  EXPECT_EQ(drops, nlohmann::json({{"not_ip", 1}, {"tx_link_down", 2}}));
}

TEST(SnapshotJsonTest, names_and_states_are_words) {
  const nlohmann::json json = to_json(numbered());
  EXPECT_EQ(json["streams"][0]["legs"][0]["state"], "silent");
  EXPECT_EQ(json["ports"][0]["link_up"], true);
  EXPECT_EQ(json["ports"][0]["drops"], nlohmann::json({{"ip_bad_header", 33}}));
  EXPECT_EQ(json["ledger"], nlohmann::json({{"in", 1},
                                            {"created", 2},
                                            {"out", 3},
                                            {"dropped", 0},
                                            {"held", 0},
                                            {"balances", true}}));
}

TEST(SnapshotJsonTest, what_is_written_can_be_read_back) {
  const nlohmann::json json = to_json(numbered());
  const auto back = snapshot_from_json(json);
  ASSERT_TRUE(back.has_value()) << back.error().text;
  EXPECT_EQ(to_json(*back), json);
}

TEST(SnapshotJsonTest, skew_can_be_read_back_by_bucket) {
  Snapshot shown = numbered();
  LegSnapshot& leg = shown.streams[0].legs[0];
  leg.skew.add(0, 3);
  leg.skew.add(4'000'000, 2);
  leg.skew_max_ns = 4'100'000;
  nlohmann::json json = to_json(shown);
  add_skew(json["streams"], shown);
  const auto back = snapshot_from_json(json);
  ASSERT_TRUE(back.has_value()) << back.error().text;
  const SkewHistogram& skew = back->streams[0].legs[0].skew;
  EXPECT_EQ(to_json(skew), to_json(leg.skew));
  EXPECT_EQ(skew.max(), 4'100'000u);
  EXPECT_FALSE(
      snapshot_from_json(nlohmann::json::parse(
                             R"({"streams":[{"legs":[{"skew_histogram":[{"count":"many"}]}]}]})"))
          .has_value());
}

TEST(SnapshotJsonTest, losses_are_told_in_the_terms_of_the_field) {
  StreamSnapshot stream;
  stream.legs = {{.lost = 100}, {.lost = 200}};
  stream.forwarded = 9'990;
  stream.unrecovered = 10;
  stream.recovered = 280;
  const nlohmann::json json = to_json(stream);
  EXPECT_DOUBLE_EQ(json.at("save_rate"), 280.0 / 290);
  EXPECT_EQ(json.at("correlated_loss"),
            nlohmann::json({{"unrecovered", 10}, {"by_chance", 2.0}, {"ratio", 5.0}}));
  EXPECT_TRUE(to_json(StreamSnapshot{}).at("correlated_loss").is_null());
}

TEST(SnapshotJsonTest, what_an_older_server_does_not_count_is_zero) {
  const auto back = snapshot_from_json({{"streams", {{{"name", "news1"}}}}});
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->streams.at(0).forwarded, 0u);
}

TEST(SnapshotJsonTest, wrong_types_are_an_error_and_no_crash) {
  EXPECT_FALSE(snapshot_from_json({{"streams", 7}}).has_value());
  EXPECT_FALSE(snapshot_from_json({{"streams", {{{"forwarded", "many"}}}}}).has_value());
  EXPECT_FALSE(snapshot_from_json({{"ports", {{{"name", 5}}}}}).has_value());
  EXPECT_FALSE(snapshot_from_json(nlohmann::json::array()).has_value());
}

TEST(SnapshotJsonTest, replay_has_a_result_beside_the_counters) {
  ReplayResult result;
  result.snapshot = numbered();
  result.packets_in = 5;
  result.packets_out = 4;
  result.span = std::chrono::milliseconds(1500);
  const nlohmann::json json =
      replay_json(result, {{.port = "out", .path = "want.pcap", .difference = {}}});
  EXPECT_EQ(json["result"], nlohmann::json({{"protection", "none"},
                                            {"packets_in", 5},
                                            {"packets_out", 4},
                                            {"clamped_timestamps", 0},
                                            {"expected", {{"out", "equal"}}},
                                            {"seconds", 1.5}}));
  EXPECT_EQ(json["streams"][0]["protection"], "none");
}

}  // namespace
}  // namespace castgate
