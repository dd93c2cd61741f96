// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/flow_table.h"

#include <cstring>
#include <fmt/format.h>
#include <optional>

#include <gtest/gtest.h>

#include "tests/support/packets.h"

namespace castgate::test {
namespace {

// Endpoint::parse does not take port 0; a frame may have it.
Endpoint endpoint_of(const std::string& text) {
  const auto colon = text.rfind(':');
  std::string address = text.substr(0, colon);
  if (address.front() == '[') address = address.substr(1, address.size() - 2);
  return {IpAddress::parse(address).value(),
          static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1)))};
}

// Asks as classify does: with the bytes of a frame.
std::optional<Flow> ask(const FlowTable& flows, const char* source, const char* to,
                        std::uint16_t segment = 0) {
  const Endpoint endpoint = endpoint_of(to);
  const auto from = IpAddress::parse(source).value();
  Bytes wire(endpoint.address.bytes().begin() + 12, endpoint.address.bytes().end());
  put16(wire, 4000);
  put16(wire, endpoint.udp_port);
  std::uint64_t key = 0;
  std::uint32_t raw = 0;
  std::memcpy(&key, wire.data(), 8);
  std::memcpy(&raw, from.bytes().data() + 12, 4);
  const Flow flow = flows.find4(FlowTable::key4(key, segment), raw);
  if (flow.stream == Flow::kNone) return {};
  return flow;
}
FlowMiss why(const FlowTable& flows, const char* source, const char* to) {
  return flows.why_not(IpAddress::parse(source).value(), endpoint_of(to), 0);
}
LegSpec leg(const char* to, const char* from = nullptr, VlanTags vlan = {}, unsigned port = 0) {
  LegSpec made;
  made.port = port;
  made.vlan = vlan;
  if (from != nullptr) made.from = IpAddress::parse(from);
  made.to = endpoint_of(to);
  return made;
}
StreamSpec stream(std::vector<LegSpec> legs) {
  StreamSpec made;
  made.legs = std::move(legs);
  return made;
}

class FlowTableTest : public testing::Test {
 protected:
  FlowTable made() const { return FlowTable(spec, std::vector<std::uint8_t>(spec.streams.size())); }
  FlowTableTest() { spec.ports.resize(2); }
  Spec spec;
};

TEST_F(FlowTableTest, an_exact_source_comes_before_any_source) {
  spec.streams = {stream({leg("239.1.0.1:5000"), leg("239.1.0.1:5000", "10.0.0.1")})};
  const FlowTable flows = made();
  EXPECT_EQ(ask(flows, "10.0.0.1", "239.1.0.1:5000")->leg, 1);
  EXPECT_EQ(ask(flows, "10.0.0.2", "239.1.0.1:5000")->leg, 0);
}

TEST_F(FlowTableTest, a_source_filter_names_itself) {
  spec.streams = {stream({leg("239.1.0.1:5000", "10.0.0.1")})};
  const FlowTable flows = made();
  EXPECT_FALSE(ask(flows, "10.0.0.2", "239.1.0.1:5000"));
  EXPECT_EQ(why(flows, "10.0.0.2", "239.1.0.1:5000"), FlowMiss::SourceFilter);
  EXPECT_EQ(why(flows, "10.0.0.2", "239.1.0.1:5001"), FlowMiss::NoFeed);
}

TEST_F(FlowTableTest, an_output_that_comes_back_is_our_own) {
  spec.streams = {stream({leg("239.1.0.1:5000")})};
  OutputSpec output;
  output.to = endpoint_of("239.1.0.1:5000");
  output.source = IpAddress::parse("10.0.0.9").value();
  spec.streams[0].outputs = {output};
  const FlowTable flows = made();
  EXPECT_FALSE(ask(flows, "10.0.0.9", "239.1.0.1:5000"));
  EXPECT_EQ(why(flows, "10.0.0.9", "239.1.0.1:5000"), FlowMiss::OwnSource);
  EXPECT_TRUE(ask(flows, "10.0.0.8", "239.1.0.1:5000"));
}

// The key of such a packet once was that of an empty row, and its stream none at all.
TEST_F(FlowTableTest, a_packet_of_zeros_is_no_leg) {
  spec.streams = {stream({leg("239.1.0.1:5000")})};
  const FlowTable flows = made();
  EXPECT_FALSE(ask(flows, "10.0.0.1", "0.0.0.0:0"));
  EXPECT_FALSE(ask(flows, "0.0.0.0", "0.0.0.0:0"));
  EXPECT_EQ(why(flows, "0.0.0.0", "0.0.0.0:0"), FlowMiss::NoFeed);
}

TEST_F(FlowTableTest, port_and_vlan_part_equal_groups) {
  spec.streams = {
      stream({leg("239.1.0.1:5000"), leg("239.1.0.1:5000", nullptr, {43, 0}),
              leg("239.1.0.1:5000", nullptr, {100, 43}), leg("239.1.0.1:5000", nullptr, {}, 1)})};
  const FlowTable flows = made();
  const auto at = [&](unsigned port, VlanTags tags) {
    return ask(flows, "10.0.0.1", "239.1.0.1:5000", flows.segment(port, tags))->leg;
  };
  EXPECT_EQ(at(0, {}), 0);
  EXPECT_EQ(at(0, {43, 0}), 1);
  EXPECT_EQ(at(0, {100, 43}), 2);
  EXPECT_EQ(at(1, {}), 3);
  EXPECT_EQ(flows.segment(1, {43, 0}), FlowTable::kNoSegment);
  EXPECT_EQ(flows.segment(0, {43, 100}), FlowTable::kNoSegment);
}

TEST_F(FlowTableTest, ip6_keeps_the_same_rules) {
  spec.streams = {stream(
      {leg("[ff3e::1]:5000"), leg("[ff3e::1]:5000", "fd00::1"), leg("[ff3e::2]:5000", "fd00::1")})};
  const FlowTable flows = made();
  const auto find = [&](const char* source, const char* to) {
    return flows.find6(IpAddress::parse(source).value(), endpoint_of(to), 0);
  };
  EXPECT_EQ(find("fd00::1", "[ff3e::1]:5000").leg, 1);
  EXPECT_EQ(find("fd00::2", "[ff3e::1]:5000").leg, 0);
  EXPECT_EQ(find("fd00::2", "[ff3e::1]:5001").stream, Flow::kNone);
  EXPECT_EQ(find("fd00::2", "[ff3e::2]:5000").stream, Flow::kNone);
  EXPECT_EQ(why(flows, "fd00::2", "[ff3e::2]:5000"), FlowMiss::SourceFilter);
  EXPECT_EQ(find("::", "[::]:0").stream, Flow::kNone);
}

TEST_F(FlowTableTest, thousands_of_flows_and_their_look_alikes) {
  constexpr unsigned kFlows = 8000;
  const auto name = [](unsigned i, unsigned udp_port) {
    return fmt::format("239.{}.{}.{}:{}", i % 3, i / 250, i % 250, udp_port);
  };
  for (unsigned i = 0; i < kFlows; ++i)
    spec.streams.push_back(stream({leg(name(i, 5000).c_str())}));
  const FlowTable flows = made();
  for (unsigned i = 0; i < kFlows; ++i) {
    const auto row = ask(flows, "10.0.0.1", name(i, 5000).c_str());
    ASSERT_TRUE(row);
    ASSERT_EQ(row->stream, i);
    ASSERT_FALSE(ask(flows, "10.0.0.1", name(i, 5001).c_str()));
    ASSERT_FALSE(ask(flows, "10.0.0.1", name(i, 5000).c_str(), 1));
  }
}

OpenSpec raw_esp(std::uint32_t spi) {
  OpenSpec open;
  open.profile = OpenProfile::EspTransport;
  open.spi = spi;
  open.keys.resize(1);
  return open;
}
FlowTable::EspFlow esp(const char* source, const char* to, std::uint32_t spi) {
  return {IpAddress::parse(source).value(), IpAddress::parse(to).value(), spi};
}

TEST_F(FlowTableTest, esp_is_found_by_destination_and_spi_and_the_exact_source_wins) {
  for (const char* to : {"239.1.0.1:5000", "[ff3e::1]:5000"}) {
    const bool v6 = to[0] == '[';
    const char* sender = v6 ? "fd00::5" : "10.1.0.5";
    const char* anyone = v6 ? "fd00::6" : "10.1.0.6";
    const char* group = v6 ? "ff3e::1" : "239.1.0.1";
    spec.streams = {stream({leg(to), leg(to), leg(to, sender), leg(to)})};
    auto& legs = spec.streams[0].legs;
    legs[1].open = raw_esp(5000);
    legs[2].open = raw_esp(5000);
    legs[3].open = raw_esp(5001);
    const FlowTable flows = made();
    EXPECT_EQ(flows.find_esp(esp(anyone, group, 5000), 0).leg, 1u);
    EXPECT_EQ(flows.find_esp(esp(sender, group, 5000), 0).leg, 2u);
    EXPECT_EQ(flows.find_esp(esp(sender, group, 5001), 0).leg, 3u);
    EXPECT_EQ(flows.find_esp(esp(sender, group, 5002), 0).stream, Flow::kNone);
    EXPECT_EQ(flows.find_esp(esp(sender, group, 5000), 1).stream, Flow::kNone) << "another port";
    EXPECT_EQ(flows.why_not(esp(sender, group, 5002), 0), FlowMiss::OtherSpi);
    EXPECT_EQ(flows.why_not(esp(sender, group, 5002), 1), FlowMiss::NoFeed);
    EXPECT_EQ(flows.why_not(esp(sender, v6 ? "ff3e::2" : "239.1.0.2", 5000), 0), FlowMiss::NoFeed);
  }
}

TEST_F(FlowTableTest, esp_of_another_source_and_our_own_are_told) {
  spec.streams = {stream({leg("239.1.0.1:5000", "10.1.0.5")})};
  spec.streams[0].legs[0].open = raw_esp(256);
  OutputSpec output;
  output.to = endpoint_of("239.1.0.1:6000");
  output.source = IpAddress::parse("10.1.0.5").value();
  output.raw_esp = true;
  output.protect.spi = 256;
  const FlowTable before = made();
  EXPECT_EQ(before.why_not(esp("10.1.0.6", "239.1.0.1", 256), 0), FlowMiss::SourceFilter);
  EXPECT_EQ(before.find_esp(esp("10.1.0.5", "239.1.0.1", 256), 0).leg, 0u);
  spec.streams[0].outputs.push_back(output);
  const FlowTable flows = made();
  EXPECT_EQ(flows.find_esp(esp("10.1.0.5", "239.1.0.1", 256), 0).stream, Flow::kNone);
  EXPECT_EQ(flows.why_not(esp("10.1.0.5", "239.1.0.1", 256), 0), FlowMiss::OwnSource);
}

TEST_F(FlowTableTest, esp_of_our_own_is_known_in_every_epoch) {
  spec.streams = {stream({leg("239.1.0.1:5000", "10.1.0.5")})};
  spec.streams[0].legs[0].open = raw_esp(258);
  OutputSpec output;
  output.to = endpoint_of("239.1.0.1:6000");
  output.source = IpAddress::parse("10.1.0.5").value();
  output.raw_esp = true;
  output.protect.spi = 256;
  output.protect.keys.reserve(2);
  for (const std::uint32_t epoch : {1u, 3u}) output.protect.keys.push_back({epoch, {}, {}});
  spec.streams[0].outputs.push_back(output);
  EXPECT_EQ(made().why_not(esp("10.1.0.5", "239.1.0.1", 258), 0), FlowMiss::OwnSource);
}

}  // namespace
}  // namespace castgate::test
