// SPDX-License-Identifier: Apache-2.0
// Frames that carry a proof: on the wire as any client's packet is.
#include <gtest/gtest.h>

#include "controlplane/clients/doors/proof_frame.h"
#include "dataplane/base/checksum.h"

namespace castgate {
namespace {

std::string hex(const std::vector<std::byte>& bytes, std::size_t from, std::size_t count) {
  std::string text;
  for (std::size_t i = from; i < from + count; ++i) {
    constexpr const char* kDigits = "0123456789abcdef";
    text += kDigits[std::to_integer<unsigned>(bytes[i]) >> 4];
    text += kDigits[std::to_integer<unsigned>(bytes[i]) & 15];
  }
  return text;
}

class ProofFrameTest : public testing::Test {
 protected:
  ProofFrameTest() {
    spec_.ports.emplace_back().name = "out";
    StreamSpec& stream = spec_.streams.emplace_back();
    stream.legs.push_back({.name = "A", .to = Endpoint::parse("239.1.0.1:5000").value()});
    stream.unicasts.push_back({.name = "homes", .ttl = 9});
  }
  std::vector<std::byte> frame(const char* source, const char* to) {
    ClientRoute route;
    route.source = IpAddress::parse(source).value();
    route.to = Endpoint::parse(to).value();
    return proof_frame(spec_, route, {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 9, 7}}}, payload_);
  }

  Spec spec_;
  std::string payload_ = proof_payload(ClientId{{0xab}});
};

TEST_F(ProofFrameTest, payload_is_fifty_characters) {
  EXPECT_EQ(payload_, "castgate-proof/1 ab" + std::string(30, '0') + "\n");
}

TEST_F(ProofFrameTest, ipv4_without_a_tag_is_right_byte_by_byte) {
  const auto bytes = frame("10.9.0.1", "10.9.0.7:6000");
  ASSERT_EQ(bytes.size(), 14u + 20 + 8 + 50);
  EXPECT_EQ(hex(bytes, 0, 14), "0200000009070200000000010800");
  EXPECT_EQ(hex(bytes, 14, 10), "4500004e000040000911");
  EXPECT_EQ(hex(bytes, 26, 8), "0a0900010a090007");
  EXPECT_EQ(hex(bytes, 34, 6), "13881770003a");
  EXPECT_TRUE(ip_header_sums_up(&bytes[14]));
  EXPECT_TRUE(udp_sums_up(std::span(bytes).subspan(26, 8), std::span(bytes).subspan(34)));
}

TEST_F(ProofFrameTest, ipv6_in_two_tags_is_right_byte_by_byte) {
  spec_.streams[0].unicasts[0].vlan = VlanTags{100, 43};
  spec_.streams[0].unicasts[0].source_port = 7000;
  const auto bytes = frame("2001:db8::1", "[2001:db8::7]:6000");
  ASSERT_EQ(bytes.size(), 22u + 40 + 8 + 50);
  EXPECT_EQ(hex(bytes, 12, 10), "88a800648100002b86dd");
  EXPECT_EQ(hex(bytes, 22, 8), "60000000003a1109");
  EXPECT_EQ(hex(bytes, 62, 6), "1b581770003a");
  EXPECT_TRUE(udp_sums_up(std::span(bytes).subspan(30, 32), std::span(bytes).subspan(62)));
}

TEST_F(ProofFrameTest, one_tag_stands_before_the_type) {
  spec_.streams[0].unicasts[0].vlan = VlanTags{43, 0};
  const auto bytes = frame("10.9.0.1", "10.9.0.7:6000");
  EXPECT_EQ(hex(bytes, 12, 6), "8100002b0800");
}

}  // namespace
}  // namespace castgate
