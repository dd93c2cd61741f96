// SPDX-License-Identifier: Apache-2.0
// The host stack at work between a data plane of the test's own and the kernel. A program for
// membership.sh, which is the judge of what `kernel` puts on the wire; `twin` judges here.
//   membership_test kernel INTERFACE SECONDS   joins there and stays
//   membership_test twin                       cases on a TAP twin, by exit code
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <iostream>

#include <gtest/gtest.h>

#include "controlplane/slow_path/queries.h"
#include "controlplane/slow_path/slow_path.h"
#include "tests/support/fake_runtime.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

LegSpec leg(const char* group, const char* source = nullptr, VlanTags vlan = {}) {
  LegSpec made;
  made.name = group;
  made.vlan = vlan;
  if (source != nullptr) made.from = ip(source);
  made.to = {ip(group), 5000};
  return made;
}

Spec spec_of(const std::string& device, std::vector<LegSpec> legs) {
  Spec spec;
  PortSpec port;
  port.name = "red";
  port.device = device;
  port.networks[0].addresses = {*IpPrefix::parse("10.1.0.2/24"),
                                *IpPrefix::parse("2001:db8::2/64")};
  NetworkSpec vlan;
  vlan.tags = {43, 0};
  vlan.addresses = {*IpPrefix::parse("10.43.0.2/24")};
  vlan.igmp = IgmpVersion::V3;
  if (device.starts_with("net_null")) port.networks.push_back(vlan);
  spec.ports.push_back(port);
  StreamSpec stream;
  stream.name = "news";
  stream.legs = std::move(legs);
  spec.streams.push_back(stream);
  return spec;
}

class TwinTest : public testing::Test {
 protected:
  void begin(const Spec& spec) {
    spec_ = spec;
    runtime_.shown = test::blank_snapshot(spec_);
    runtime_.shown.ports[0].mac = *MacAddress::parse("02:00:00:00:00:42");
    slow_path_.emplace(io_, spec_, runtime_,
                       SlowPath::Alarms{[](const auto&, const auto&) {}, [](const auto&) {}});
    const auto started = slow_path_->start();
    ASSERT_TRUE(started) << started.error().text;
  }
  void give(const Frame& frame) { slow_path_->take({0, frame}); }

  // Whether within 3 s a frame leaves in which these bytes stand, tagged or not.
  bool leaves(VlanTags tags, const std::string& hex) {
    for (unsigned turn = 0; turn < 300; ++turn) {
      io_.run_for(10ms);
      for (const auto& frame : runtime_.injected) {
        const std::string text = hex_of(frame.bytes);
        const bool tagged = text.substr(24, 8) == "8100002b";
        if (tagged == (tags.count() == 1) && text.find(hex) != std::string::npos) return true;
      }
    }
    return false;
  }
  static std::string hex_of(FrameView bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string text;
    for (const auto byte : bytes) {
      text += kDigits[std::to_integer<unsigned>(byte) >> 4];
      text += kDigits[std::to_integer<unsigned>(byte) & 15];
    }
    return text;
  }

  boost::asio::io_context io_;
  Spec spec_;
  test::FakeRuntime runtime_;
  std::optional<SlowPath> slow_path_;
};

// IGMPv3 records by RFC 3376 4.2.12 in hexadecimal: type, 0, number of sources, group, sources.
TEST_F(TwinTest, source_specific_join_leaves_as_an_igmp_3_report) {
  begin(spec_of("net_null0", {leg("239.1.0.1", "10.1.0.5")}));
  EXPECT_TRUE(leaves({}, "05000001ef0100010a010005"));  // ALLOW_NEW_SOURCES
  for (const auto& frame : runtime_.injected) {
    EXPECT_EQ(hex_of(frame.bytes).substr(12, 12), "020000000042") << "the MAC of the port";
  }
}

TEST_F(TwinTest, general_query_is_answered_with_all_that_is_joined) {
  begin(spec_of("net_null0", {leg("239.1.0.1", "10.1.0.5"), leg("239.1.0.2")}));
  io_.run_for(1500ms);
  runtime_.injected.clear();
  give(igmp_general_query());
  EXPECT_TRUE(leaves({}, "01000001ef0100010a010005"));  // MODE_IS_INCLUDE
  EXPECT_TRUE(leaves({}, "02000000ef010002"));          // MODE_IS_EXCLUDE
}

TEST_F(TwinTest, join_in_a_vlan_leaves_with_its_tag) {
  begin(spec_of("net_null0", {leg("239.43.0.1", nullptr, {43, 0})}));
  EXPECT_TRUE(leaves({43, 0}, "04000000ef2b0001"));  // CHANGE_TO_EXCLUDE_MODE
}

TEST_F(TwinTest, forged_version_2_query_does_not_turn_reports_into_version_2) {
  begin(spec_of("net_null0", {leg("239.43.0.1", "10.43.0.5", {43, 0})}));
  io_.run_for(1500ms);
  Frame forged = igmp_general_query();
  forged.resize(46);           // IGMP of 8 bytes …
  forged[17] = std::byte{32};  // … in an IP packet of 32
  forged[24] = forged[25] = std::byte{0};
  std::uint32_t sum = 0;
  for (std::size_t at = 14; at < 38; at += 2) {
    sum += std::to_integer<std::uint32_t>(forged[at]) << 8 |
           std::to_integer<std::uint32_t>(forged[at + 1]);
  }
  const std::uint32_t check = ~(sum % 0xffff) & 0xffff;
  forged[24] = static_cast<std::byte>(check >> 8);
  forged[25] = static_cast<std::byte>(check);
  forged[40] = std::byte{0xee};
  forged[41] = std::byte{0xf5};  // ~(0x1100 + 0x000a)
  give(tagged(forged, {43, 0}));
  EXPECT_EQ(slow_path_->filtered_queries(), 1u);
  runtime_.injected.clear();
  give(tagged(igmp_general_query(), {43, 0}));
  EXPECT_TRUE(leaves({43, 0}, "01000001ef2b00010a2b0005"));
  // The same on a network that does not say igmp: 3 reaches the kernel: that the filter matters.
  give(forged);
  EXPECT_EQ(slow_path_->filtered_queries(), 1u);
}

TEST_F(TwinTest, arp_for_an_address_of_the_port_is_answered) {
  begin(spec_of("net_null0", {}));
  Frame request;
  const std::string hex =
      "ffffffffffff0200000000090806000108000604000102000000000"
      "90a010009"
      "0000000000000a010002";
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    request.push_back(static_cast<std::byte>(std::stoul(hex.substr(at, 2), nullptr, 16)));
  }
  give(request);
  EXPECT_TRUE(leaves({},
                     "08060001080006040002020000000042"
                     "0a010002"
                     "020000000009"
                     "0a010009"));
}

TEST_F(TwinTest, more_memberships_than_one_socket_holds_are_all_joined) {
  std::vector<LegSpec> legs;
  for (unsigned i = 1; i <= 50; ++i) legs.push_back(leg(("239.1.1." + std::to_string(i)).c_str()));
  for (unsigned i = 1; i <= 25; ++i) {
    legs.push_back(leg("239.1.2.1", ("10.1.0." + std::to_string(i)).c_str()));
  }
  begin(spec_of("net_null0", legs));
  io_.run_for(1500ms);
  runtime_.injected.clear();
  give(igmp_general_query());
  EXPECT_TRUE(leaves({}, "02000000ef010132"));
  EXPECT_TRUE(leaves({}, "01000019ef010201"));  // 25 sources
}

TEST_F(TwinTest, mld_join_of_one_source_leaves_and_a_query_is_answered) {
  begin(spec_of("net_null0", {leg("ff3e::1", "2001:db8::5")}));
  const std::string group = "ff3e0000000000000000000000000001";
  const std::string source = "20010db8000000000000000000000005";
  EXPECT_TRUE(leaves({}, "05000001" + group + source));
  runtime_.injected.clear();
  give(mld_general_query());
  EXPECT_TRUE(leaves({}, "01000001" + group + source));
}

// Joins 239.1.0.1 from 10.1.0.5 and 239.1.0.2 on an interface of the kernel's, for a while.
int stay_joined(const std::string& interface, int seconds) {
  boost::asio::io_context io;
  const Spec spec = spec_of("net_af_packet0,iface=" + interface,
                            {leg("239.1.0.1", "10.1.0.5"), leg("239.1.0.2"), leg("ff3e::1")});
  test::FakeRuntime runtime;
  runtime.shown = test::blank_snapshot(spec);
  SlowPath slow_path(
      io, spec, runtime,
      {[](const auto& name, const auto& text) { std::cerr << name << ": " << text << "\n"; },
       [](const auto& name) { std::cerr << name << " over\n"; }});
  const auto started = slow_path.start();
  if (!started) std::cerr << started.error().text << "\n";
  if (!started) return 1;
  std::cout << "joined\n" << std::flush;
  io.run_for(std::chrono::seconds(seconds));
  return 0;
}

}  // namespace
}  // namespace castgate

// NOLINTNEXTLINE(bugprone-exception-escape): a wrong argument may end the test.
int main(int count, char** arguments) {
  testing::InitGoogleTest(&count, arguments);
  if (count == 4 && std::string(arguments[1]) == "kernel") {
    return castgate::stay_joined(arguments[2], std::stoi(arguments[3]));
  }
  return RUN_ALL_TESTS();
}
