// SPDX-License-Identifier: Apache-2.0
// The table of keys, the readers, the defaults of Spec and pipelines/reference.md say the same.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "pipelines/keys.h"
#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

// Every section once, with nothing in it that a reader needs: readers ask all the same.
constexpr std::string_view kEverySection = R"(
schema: 1
appliance: {}
doors: {rest: {tls: {}}, metrics: {}}
ports: {p: {verify: {}, vlans: {43: {}}}}
streams: {s: {legs: {A: {open: {inner: {}}}},
              outputs: {o: {protect: {inner: {}}}, u: {unicast: {}}},
              failover: {switching: {}}, restamp: {}, monitor: {}, verify: {},
              sequence: {position: {}, count: {}, epoch: {}}}}
)";

std::set<std::string> keys_that_readers_know() {
  ReadContext context("f");
  const YamlTree tree = YamlTree::parse(kEverySection, context.complaints);
  Section root(*tree.root(), {}, context);
  read_root(root, context);
  return context.asked;
}

std::string default_of(std::string_view path) {
  const KeyInfo* key = find_key(path);
  return key == nullptr ? "no such key" : key->default_text();
}

TEST(Keys, table_holds_what_readers_know_and_nothing_else) {
  std::set<std::string> table;
  for (const KeyInfo* key : all_keys()) {
    EXPECT_TRUE(table.emplace(key->path).second) << key->path << " stands there twice";
  }
  EXPECT_EQ(keys_that_readers_know(), table);
}

TEST(Keys, every_row_can_be_read_by_a_person) {
  for (const KeyInfo* key : all_keys()) {
    EXPECT_GT(key->meaning.size(), 5u) << key->path;
    EXPECT_FALSE(key->default_text().empty()) << key->path;
    EXPECT_LE(key->least, key->most) << key->path;
    EXPECT_EQ(key->kind == KeyKind::Choice, !key->choices.empty()) << key->path;
    EXPECT_EQ(key->meaning.find('|'), std::string_view::npos) << key->path;
  }
}

// The defaults, typed here once more on purpose: a changed default must be meant.
TEST(Keys, defaults_are_those_that_are_documented) {
  EXPECT_EQ(default_of("appliance.name"), "castgate");
  EXPECT_EQ(default_of("appliance.worker_cores"), "[1]");
  EXPECT_EQ(default_of("appliance.hugepages"), "none");
  EXPECT_EQ(default_of("appliance.polling"), "adaptive");
  EXPECT_EQ(default_of("appliance.max_frame"), "1518");
  EXPECT_EQ(default_of("ports.*.verify.ip_checksum"), "true");
  EXPECT_EQ(default_of("ports.*.verify.udp_checksum"), "false");
  EXPECT_EQ(default_of("ports.*.igmp"), "auto");
  EXPECT_EQ(default_of("ports.*.device"), "required");
  EXPECT_EQ(default_of("streams.*.sequence"), "rtp");
  EXPECT_EQ(default_of("streams.*.failover.selection"), "merge");
  EXPECT_EQ(default_of("streams.*.failover.release"), "ordered");
  EXPECT_EQ(default_of("streams.*.failover.max_skew"), "10ms");
  EXPECT_EQ(default_of("streams.*.failover.max_rate"), "100kpps");
  EXPECT_EQ(default_of("streams.*.failover.reorder_depth"), "3");
  EXPECT_EQ(default_of("streams.*.failover.epoch_hold"), "20ms");
  EXPECT_EQ(default_of("streams.*.monitor.degrade_loss"), "1000ppm");
  EXPECT_EQ(default_of("streams.*.monitor.latent_error_period"), "2s");
  EXPECT_EQ(default_of("streams.*.monitor.latent_error_difference"), "10%");
  EXPECT_EQ(default_of("streams.*.monitor.down_after"), "3s");
  EXPECT_EQ(default_of("appliance.event_log"), "none");
  EXPECT_EQ(default_of("streams.*.outputs.*.ttl"),
            "16; unicast: 64; sequence: fingerprint: decrement");
  EXPECT_EQ(default_of("streams.*.outputs.*.dscp"), "keep");
}

TEST(Keys, defaults_follow_the_spec) {
  Defaults changed;
  changed.failover.max_skew = Nanoseconds{7'000'000};
  changed.output.dscp = 46;
  changed.leg.vlan = {100, 43};
  EXPECT_EQ(find_key("streams.*.failover.max_skew")->fallback(changed), "7ms");
  EXPECT_EQ(find_key("streams.*.outputs.*.dscp")->fallback(changed), "46");
  EXPECT_EQ(find_key("streams.*.legs.*.vlan")->fallback(changed), "100.43");
}

// A default that names a value must be one that the reader takes, and takes for what it is.
TEST(Keys, defaults_written_out_read_as_the_defaults) {
  test::YamlFile file;
  const auto given = [](std::string_view path) {
    return std::string(path.substr(path.rfind('.') + 1)) + ": " + default_of(path) + ", ";
  };
  for (const KeyInfo& key : kApplianceKeys) {
    if (key.path.starts_with("appliance.")) file.appliance += given(key.path);
  }
  for (const KeyInfo& key : kFailoverKeys) {
    const bool refers = key.path.ends_with(".playout_delay") || key.path.ends_with(".order") ||
                        key.path.contains(".switching.");
    if (key.kind != KeyKind::Map && !refers) file.failover += given(key.path);
  }
  const Reading reading = read_spec_text(file.text(), "f");
  EXPECT_EQ(test::joined(reading.errors), "");
  EXPECT_EQ(reading.spec.appliance.state_dir, ApplianceSpec{}.state_dir);
  EXPECT_EQ(reading.spec.appliance.worker_cores, ApplianceSpec{}.worker_cores);
  EXPECT_EQ(reading.spec.streams[0].failover.epoch_hold, FailoverSpec{}.epoch_hold);
  EXPECT_EQ(reading.spec.streams[0].failover.max_rate_pps, FailoverSpec{}.max_rate_pps);
}

// Readers narrow a row's number to the field: the row's largest must fit there.
TEST(Keys, ranges_fit_the_fields_that_take_them) {
  const auto most = [](std::string_view path) { return find_key(path)->most; };
  EXPECT_LE(most("streams.*.outputs.*.ttl"), std::numeric_limits<decltype(OutputSpec::ttl)>::max());
  EXPECT_LE(most("streams.*.outputs.*.dscp"), 63u);
  EXPECT_LE(most("streams.*.outputs.*.source_port"), 65535u);
  for (const KeyInfo* key : all_keys()) {
    if (key->kind == KeyKind::Number) {
      EXPECT_LE(key->most, std::numeric_limits<unsigned>::max()) << key->path;
    }
    if (key->kind == KeyKind::Duration) {
      const bool is_lifetime = key->path.contains(".protect.");  // added once, to a moment
      EXPECT_LE(key->most, is_lifetime ? std::uint64_t{1} << 62 : 720'000'000'000u) << key->path;
    }
  }
}

TEST(Keys, reference_page_is_what_the_tables_print) {
  std::ifstream file(std::filesystem::path(CG_SOURCE_ROOT) / "pipelines/reference.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(page, reference_text()) << "castgate keys > pipelines/reference.md mends it";
}

TEST(Keys, json_holds_every_key_with_its_range_and_default) {
  const auto json = nlohmann::json::parse(keys_json());
  ASSERT_EQ(json.size(), all_keys().size());
  for (const auto& row : json) {
    const KeyInfo* key = find_key(row.at("key").get<std::string>());
    ASSERT_NE(key, nullptr) << row;
    EXPECT_EQ(row.at("required"), key->fallback == nullptr);
    EXPECT_EQ(row.at("default").is_null(), key->fallback == nullptr);
    EXPECT_EQ(row.at("range"), key->range_text());
  }
}

TEST(Keys, reserved_words_are_no_keys) {
  for (const ReservedKey& word : reserved_keys()) EXPECT_EQ(find_key(word.path), nullptr);
  EXPECT_NE(find_reserved("streams.*.pair"), nullptr);
  EXPECT_NE(find_reserved("streams.*.sequence.key"), nullptr);
  EXPECT_EQ(find_reserved("streams.*.unicast"), nullptr);
}

}  // namespace
}  // namespace castgate
