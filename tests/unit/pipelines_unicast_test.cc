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
  EXPECT_EQ(unicast.copy_threshold, 256u);
}

TEST(UnicastKeys, every_key_is_read) {
  const UnicastSpec unicast = read(
      "port: out, vlan: 7, source: 10.0.0.8, source_port: 99, ttl: decrement, dscp: 34, "
      "unicast: {max_clients: 20, copy_threshold: 0}");
  EXPECT_EQ(unicast.vlan, (VlanTags{7, 0}));
  EXPECT_EQ(unicast.source, IpAddress::parse("10.0.0.8"));
  EXPECT_EQ(unicast.source_port, 99u);
  EXPECT_EQ(unicast.ttl, 0u);
  EXPECT_EQ(unicast.dscp, 34u);
  EXPECT_EQ(unicast.max_clients, 20u);
  EXPECT_EQ(unicast.copy_threshold, 0u);
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

}  // namespace
}  // namespace castgate
