// SPDX-License-Identifier: Apache-2.0
// outputs.X.unicast: what is read, and what does not go together.
#include <gtest/gtest.h>

#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

using test::errors_of;
using test::YamlFile;

YamlFile file(const std::string& output, const std::string& more = "") {
  return {.outputs = "homes: {" + output + "}" + more};
}

UnicastSpec read(const std::string& output) {
  const Reading reading = read_spec_text(file(output).text(), "f");
  EXPECT_EQ(test::joined(reading.errors), "");
  EXPECT_EQ(reading.spec.streams.at(0).unicasts.size(), 1u);
  EXPECT_TRUE(reading.spec.streams.at(0).outputs.empty());
  return reading.spec.streams.at(0).unicasts.at(0);
}

TEST(UnicastKeys, defaults_serve_clients_of_the_ports_network) {
  const UnicastSpec unicast = read("port: out, unicast: {}");
  EXPECT_EQ(unicast.name, "homes");
  EXPECT_EQ(unicast.port, 2u);
  EXPECT_FALSE(unicast.source);
  EXPECT_EQ(unicast.source_port, 0u);
  EXPECT_EQ(unicast.ttl, 64u);
  EXPECT_FALSE(unicast.dscp);
  EXPECT_EQ(unicast.max_clients, 1'000u);
  EXPECT_EQ(unicast.fan_workers, 1u);
  EXPECT_EQ(unicast.copy_threshold, 256u);
  EXPECT_EQ(unicast.max_rate_bps, 0u);
  EXPECT_EQ(unicast.too_big, TooBig::Drop);
}

TEST(UnicastKeys, every_key_is_read) {
  const UnicastSpec unicast = read(
      "port: out, vlan: 7, source: 10.0.0.8, source_port: 99, ttl: decrement, dscp: 34, "
      "unicast: {max_clients: 20, copy_threshold: 0, max_rate: 20Mbps, too_big: fragment}");
  EXPECT_EQ(unicast.vlan, (VlanTags{7, 0}));
  EXPECT_EQ(unicast.source, IpAddress::parse("10.0.0.8"));
  EXPECT_EQ(unicast.source_port, 99u);
  EXPECT_EQ(unicast.ttl, 0u);
  EXPECT_EQ(unicast.dscp, 34u);
  EXPECT_EQ(unicast.max_clients, 20u);
  EXPECT_EQ(unicast.copy_threshold, 0u);
  EXPECT_EQ(unicast.max_rate_bps, 20'000'000u);
  EXPECT_EQ(unicast.too_big, TooBig::Fragment);
}

TEST(UnicastKeys, feeds_without_numbers_decrement_the_ttl) {
  YamlFile wanted = file("port: out, unicast: {}");
  wanted.stream = "sequence: fingerprint,";
  const Reading reading = read_spec_text(wanted.text(), "f");
  EXPECT_EQ(test::joined(reading.errors), "");
  EXPECT_EQ(reading.spec.streams.at(0).unicasts.at(0).ttl, 0u);
}

TEST(UnicastKeys, groups_and_clients_go_together) {
  const YamlFile both =
      file("port: out, unicast: {}", ", main: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9}");
  const Reading reading = read_spec_text(both.text(), "f");
  EXPECT_EQ(test::joined(reading.errors), "");
  EXPECT_EQ(reading.spec.streams.at(0).outputs.size(), 1u);
  EXPECT_EQ(reading.spec.streams.at(0).unicasts.size(), 1u);
}

TEST(UnicastKeys, what_does_not_go_together_is_told) {
  EXPECT_NE(errors_of(file("port: out, to: 239.9.0.1:5000, unicast: {}")).find("unknown key"),
            std::string::npos);
  EXPECT_NE(
      errors_of(file("port: blue, unicast: {}")).find("port blue (untagged) lists no addresses"),
      std::string::npos)
      << errors_of(file("port: blue, unicast: {}"));
  EXPECT_EQ(errors_of(file("port: blue, source: 10.0.0.7, unicast: {}")), "");
  EXPECT_NE(errors_of(file("port: out, source: 239.0.0.7, unicast: {}")).find(".source: "),
            std::string::npos);
  EXPECT_NE(errors_of(file("port: out, unicast: {max_clients: 60000}"))
                .find("60000 is more than appliance.max_clients, 20000"),
            std::string::npos);
  EXPECT_NE(errors_of(file("port: out, unicast: {max_clients: 0}")).find("max_clients"),
            std::string::npos);
  std::string more;
  for (const char* name : {"b", "c", "d", "e"}) {
    more += std::string(", ") + name + ": {port: out, unicast: {}}";
  }
  EXPECT_NE(errors_of(file("port: out, unicast: {}", more)).find("5 unicast outputs: at most 4"),
            std::string::npos);
}

TEST(UnicastKeys, joins_on_demand_are_read) {
  YamlFile wanted = file("port: out, unicast: {}");
  wanted.stream = "join: on_demand, linger: 500ms,";
  const Reading reading = read_spec_text(wanted.text(), "f");
  EXPECT_EQ(test::joined(reading.errors), "");
  EXPECT_EQ(test::joined(reading.warnings), "");
  EXPECT_EQ(reading.spec.streams.at(0).join, UpstreamJoin::OnDemand);
  EXPECT_EQ(reading.spec.streams.at(0).linger, std::chrono::milliseconds(500));
  const StreamSpec untold = read_spec_text(YamlFile{}.text(), "f").spec.streams.at(0);
  EXPECT_EQ(untold.join, UpstreamJoin::Always);
  EXPECT_EQ(untold.linger, std::chrono::seconds(2));
}

TEST(UnicastKeys, joins_on_demand_need_somebody_who_can_ask) {
  YamlFile groups;
  groups.stream = "join: on_demand,";
  EXPECT_EQ(errors_of(groups),
            "f:4:21: streams.s.join: on_demand waits for unicast clients, and no output lets any "
            "join: the stream would never start; join: always, or an output with unicast: {}");
  YamlFile both =
      file("port: out, unicast: {}", ", main: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9}");
  both.stream = groups.stream;
  EXPECT_EQ(errors_of(both), "");
  EXPECT_EQ(test::warnings_of(both),
            "f:4:21: warning: streams.s.join: receivers of groups (main) are not counted: they get "
            "nothing while no unicast client is there; join: always sends to them always");
  YamlFile own = file("port: out, unicast: {}");
  own.stream = groups.stream;
  own.legs = "A: {port: red, to: 10.1.0.2:5000}";
  EXPECT_EQ(errors_of(own),
            "f:4:21: streams.s.join: has no effect: no leg is a group that could be joined");
  YamlFile always = file("port: out, unicast: {}");
  always.stream = "linger: 1s,";
  EXPECT_EQ(errors_of(always), "f:4:23: streams.s.linger: has no effect without join: on_demand");
}

TEST(PortRates, what_is_declared_of_legs_and_groups_fits_their_port) {
  YamlFile wanted;
  wanted.stream = "max_bitrate: 60Mbps,";
  wanted.ports =
      "red: {device: d0, addresses: [10.1.0.2/24], max_rate: 60Mbps}, blue: {device: d1}, "
      "out: {device: d2, addresses: [10.0.0.9/24], max_rate: 100Mbps}";
  EXPECT_EQ(errors_of(wanted), "");
  wanted.outputs += ", second: {port: out, to: 239.9.0.2:5000, source: 10.0.0.9}";
  const std::string refused = errors_of(wanted);
  EXPECT_NE(refused.find("ports.out.max_rate: 120Mbps that the streams of its groups declare by "
                         "max_bitrate are more than 100Mbps"),
            std::string::npos)
      << refused;
  wanted.outputs = "homes: {port: out, unicast: {}}";  // clients are judged when they join
  EXPECT_EQ(errors_of(wanted), "");
  wanted.stream = "max_bitrate: 61Mbps,";
  EXPECT_NE(errors_of(wanted).find("ports.red.max_rate: 61Mbps that the streams of its legs"),
            std::string::npos);
  wanted.stream = "max_bitrate: 61,";
  EXPECT_NE(errors_of(wanted).find("needs a unit: 12Mbps"), std::string::npos);
}

TEST(FanWorkers, are_no_more_than_the_appliance_has) {
  YamlFile wanted = file("port: out, unicast: {fan_workers: 3}");
  EXPECT_EQ(errors_of(wanted),
            "f:7:53: streams.s.outputs.homes.unicast.fan_workers: 3 is more than "
            "appliance.worker_cores has, 1: list more cores there, or fan_workers: 1");
  wanted.appliance = "worker_cores: [1, 2, 3]";
  EXPECT_EQ(errors_of(wanted), "");
  const Reading reading = read_spec_text(wanted.text(), "f");
  EXPECT_EQ(reading.spec.streams.at(0).unicasts.at(0).fan_workers, 3u);
  EXPECT_EQ(fan_parts(reading.spec.streams.at(0)), 3u);
  wanted.outputs = "homes: {port: out, unicast: {fan_workers: 0}}";
  EXPECT_NE(errors_of(wanted).find("fan_workers: 0 is out of range: 1 to 64"), std::string::npos)
      << errors_of(wanted);
}

}  // namespace
}  // namespace castgate
