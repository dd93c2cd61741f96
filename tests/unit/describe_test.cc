// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/describe/describe.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/base/describe/dissect.h"
#include "tests/support/capture_bytes.h"

namespace castgate::test {
namespace {

const std::string kMacs = from_hex("01005e090001 020000000003");
const std::string kRtp = from_hex("8021 04d2 00015f90 01020304") + "payload!";
const std::string kUdp = from_hex("1389 1388 001c 0000") + kRtp;
const std::string kIpv4 =
    from_hex("4500 0030 0000 4000 1011 0000 0a000009 ef090001") + kUdp;  // 10.0.0.9 → 239.9.0.1
const std::string kFrame = kMacs + from_hex("0800") + kIpv4;

std::string ip6(const std::string& next_header, const std::string& rest) {
  return from_hex("333300000001 020000000003 86dd 60000000") + big(rest.size(), 2) + next_header +
         from_hex("10 20010db8000000000000000000000009 ff3e0000000000000000000000000001") + rest;
}

std::string line(const std::string& frame) {
  return describe(as_bytes(frame));
}

TEST(DescribeTest, rtp_over_ipv4_tells_everything_that_matters) {
  EXPECT_EQ(line(kFrame),
            "239.9.0.1:5000 ← 10.0.0.9:5001 ttl 16 "
            "RTP seq 1234 ts 90000 ssrc 0x01020304 8 B payload");
}

TEST(DescribeTest, vlan_and_qinq_are_told) {
  EXPECT_EQ(line(kMacs + from_hex("8100 602b 0800") + kIpv4).find("vlan 43 239.9.0.1:5000 "), 0u);
  EXPECT_EQ(line(kMacs + from_hex("88a8 0064 8100 002b 0800") + kIpv4).find("vlan 100.43 239"), 0u);
}

TEST(DescribeTest, ipv6_is_read_through_its_extension_headers) {
  const std::string expected =
      "[ff3e::1]:5000 ← [2001:db8::9]:5001 ttl 16 "
      "RTP seq 1234 ts 90000 ssrc 0x01020304 8 B payload";
  EXPECT_EQ(line(ip6(from_hex("11"), kUdp)), expected);
  const std::string hop_by_hop = from_hex("3c00 050200000100");
  const std::string options = from_hex("1101 010c 000000000000000000000000");
  EXPECT_EQ(line(ip6(from_hex("00"), hop_by_hop + options + kUdp)), expected);
}

TEST(DescribeTest, fragments_are_told_by_their_place) {
  std::string fragment = kFrame;
  fragment.replace(14 + 6, 2, from_hex("20b9"));
  EXPECT_EQ(line(fragment), "239.9.0.1 ← 10.0.0.9 ttl 16 UDP fragment at 1480 28 B payload");
  EXPECT_EQ(line(ip6(from_hex("2c"), from_hex("1100 05c9 00000001") + kUdp)),
            "ff3e::1 ← 2001:db8::9 ttl 16 UDP fragment at 1480 28 B payload");
}

TEST(DescribeTest, what_is_no_rtp_stays_udp) {
  for (const char* first : {"4721", "8000", "80c8"}) {  // MPEG-TS, too short for RTP, RTCP
    const std::string body = from_hex(first) + std::string(*first == '4' ? 26 : 6, '\0');
    const std::string udp = from_hex("1389 1388") + big(8 + body.size(), 2) + from_hex("0000");
    EXPECT_EQ(line(ip6(from_hex("11"), udp + body)),
              "[ff3e::1]:5000 ← [2001:db8::9]:5001 ttl 16 UDP " + std::to_string(body.size()) +
                  " B payload");
  }
  std::string rtcp = kFrame;
  rtcp[14 + 20 + 8 + 1] = static_cast<char>(200);
  EXPECT_EQ(line(rtcp), "239.9.0.1:5000 ← 10.0.0.9:5001 ttl 16 UDP 20 B payload");
}

TEST(DescribeTest, other_protocols_go_by_their_names) {
  EXPECT_EQ(line(kMacs + from_hex("0806") + std::string(46, '\0')),
            "01:00:5e:09:00:01 ← 02:00:00:00:00:03 ARP 46 B payload");
  EXPECT_EQ(line(kMacs + from_hex("0026") + std::string(46, '\0')),
            "01:00:5e:09:00:01 ← 02:00:00:00:00:03 802.3 46 B payload");
  EXPECT_EQ(line(kMacs + from_hex("cafe")),
            "01:00:5e:09:00:01 ← 02:00:00:00:00:03 EtherType 0xcafe 0 B payload");
  std::string igmp = kFrame;
  igmp[14 + 9] = 2;
  EXPECT_EQ(line(igmp), "239.9.0.1 ← 10.0.0.9 ttl 16 IGMP 28 B payload");
  igmp[14 + 9] = static_cast<char>(250);
  EXPECT_EQ(line(igmp), "239.9.0.1 ← 10.0.0.9 ttl 16 protocol 250 28 B payload");
}

TEST(DescribeTest, ethernet_padding_is_not_payload) {
  const std::string padded = kFrame + std::string(6, '\0');
  EXPECT_EQ(line(padded), line(kFrame));
  EXPECT_EQ(field_at(as_bytes(padded), kFrame.size() + 2), "padding+2");
}

TEST(DescribeTest, damage_is_told) {
  const auto with = [](std::size_t at, const char* hex) {
    std::string frame = kFrame;
    const std::string bytes = from_hex(hex);
    return frame.replace(14 + at, bytes.size(), bytes);
  };
  EXPECT_NE(line(with(0, "55")).find("(IPv4 header is wrong)"), std::string::npos);
  EXPECT_NE(line(with(0, "44")).find("(IPv4 header is wrong)"), std::string::npos);
  EXPECT_NE(line(with(2, "0013")).find("(IPv4 length is wrong)"), std::string::npos);
  EXPECT_NE(line(with(2, "0031")).find("(IP length reaches past the frame)"), std::string::npos);
  EXPECT_NE(line(with(24, "0007")).find("(UDP length is wrong)"), std::string::npos);
  EXPECT_NE(line(with(24, "001d")).find("(UDP length is wrong)"), std::string::npos);
  EXPECT_NE(line(kMacs + from_hex("0800 4f")).find("(IPv4 header cut short)"), std::string::npos);
  EXPECT_NE(line(kMacs + from_hex("0800 4f") + kIpv4.substr(1)).find("(IPv4 options cut short)"),
            std::string::npos);
  EXPECT_NE(line(kMacs + from_hex("8100 00")).find("(VLAN tag cut short)"), std::string::npos);
  EXPECT_NE(line(ip6(from_hex("00"), from_hex("1101 0000"))).find("extension header cut short"),
            std::string::npos);
  EXPECT_EQ(line("tiny"), "4 B (Ethernet header cut short)");
}

TEST(DescribeTest, every_header_byte_has_its_field) {
  const std::string tagged = kMacs + from_hex("8100 602b 0800") + kIpv4;
  const auto field = [&](std::size_t at) { return field_at(as_bytes(tagged), at); };
  const std::vector<std::pair<std::size_t, std::string>> expected{{0, "eth.dst"},
                                                                  {5, "eth.dst"},
                                                                  {6, "eth.src"},
                                                                  {12, "vlan.tpid"},
                                                                  {15, "vlan.tag"},
                                                                  {16, "eth.type"},
                                                                  {18, "ip.version"},
                                                                  {19, "ip.tos"},
                                                                  {21, "ip.length"},
                                                                  {22, "ip.id"},
                                                                  {24, "ip.fragment"},
                                                                  {26, "ip.ttl"},
                                                                  {27, "ip.protocol"},
                                                                  {29, "ip.checksum"},
                                                                  {30, "ip.source"},
                                                                  {37, "ip.destination"},
                                                                  {38, "udp.source_port"},
                                                                  {41, "udp.destination_port"},
                                                                  {42, "udp.length"},
                                                                  {45, "udp.checksum"},
                                                                  {46, "rtp.flags"},
                                                                  {47, "rtp.payload_type"},
                                                                  {49, "rtp.sequence"},
                                                                  {50, "rtp.timestamp"},
                                                                  {57, "rtp.ssrc"},
                                                                  {58, "payload+0"},
                                                                  {65, "payload+7"},
                                                                  {66, "end"},
                                                                  {9999, "end"}};
  for (const auto& [at, name] : expected) EXPECT_EQ(field(at), name) << at;
  EXPECT_EQ(field_at(as_bytes(ip6(from_hex("11"), kUdp)), 21), "ip6.hop_limit");
}

void expect_layers_cover(std::span<const std::byte> frame, bool whole) {
  const Dissection parts = dissect(frame);
  std::size_t at = 0;
  for (const LayerSpan& span : parts.layers) {
    EXPECT_EQ(span.offset, at);
    at += span.length;
  }
  EXPECT_EQ(at, frame.size());
  EXPECT_EQ(parts.fault.empty(), whole) << frame.size();
}

TEST(DescribeTest, layers_cover_the_frame_wherever_it_is_cut) {
  const std::string chained =
      ip6(from_hex("00"), from_hex("3c00 050200000100") + from_hex("1100 010400000000") + kUdp);
  const std::string qinq = kMacs + from_hex("88a8 0064 8100 002b 0800") + kIpv4;
  for (const std::string& whole : {kFrame, qinq, chained}) {
    for (std::size_t kept = 0; kept <= whole.size(); ++kept) {
      const std::string cut = whole.substr(0, kept);  // its own memory, for the sanitizer
      expect_layers_cover(as_bytes(cut), kept == whole.size());
    }
  }
}

}  // namespace
}  // namespace castgate::test
