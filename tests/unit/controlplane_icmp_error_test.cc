// SPDX-License-Identifier: Apache-2.0
// ICMP errors about packets to clients. The frames were made by scapy, checksums included.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "controlplane/clients/icmp_error.h"

namespace castgate {
namespace {

using Frame = std::vector<std::byte>;

Frame frame_of(const std::string& hex) {
  Frame made;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2)
    made.push_back(static_cast<std::byte>(std::stoul(hex.substr(at, 2), nullptr, 16)));
  return made;
}

constexpr const char* kTooBig =
    "02000000000302000000090308004500005400010000400166930a0900030a0900010304b21400000578450005"
    "4c000140003c116d8c0a090001c000020a138817700538beef8021126700000001000000027878787878787878"
    "7878787878787878";
constexpr const char* kTooBig6 =
    "02000000000302000000090386dd6000000000543a4020010db800090000000000000000000320010db8000900"
    "0000000000000000010200857d00000500600000000538114020010db800090000000000000000000120010db8"
    "000100000000000000000007138817700538beef80211267000000010000000278787878787878787878787878"
    "787878";
constexpr const char* kShortQuote =
    "02000000000302000000090308004500003800010000400166af0a0900030a09000103030ddd00000000450005"
    "4c000140003c116d8c0a090001c000020a138817700538beef";
constexpr const char* kUnreachable6 =
    "02000000000302000000090386dd6000000000543a4020010db800090000000000000000000320010db8000900"
    "00000000000000000101048b7900000000600000000538114020010db800090000000000000000000120010db8"
    "000100000000000000000007138817700538beef80211267000000010000000278787878787878787878787878"
    "787878";
constexpr const char* kTaggedWithOptions =
    "020000000003020000000903810000648100002b080046000058000100004001d18a0a0900030a090001940400"
    "000304b214000005784500054c000140003c116d8c0a090001c000020a138817700538beef8021126700000001"
    "0000000278787878787878787878787878787878";
constexpr const char* kEcho =
    "02000000000302000000090308004500005400010000400166930a0900030a0900010800b29000000000450005"
    "4c000140003c116d8c0a090001c000020a138817700538beef8021126700000001000000027878787878787878"
    "7878787878787878";
constexpr const char* kHostUnreachable =
    "02000000000302000000090308004500005400010000400166930a0900030a0900010301b78f00000000450005"
    "4c000140003c116d8c0a090001c000020a138817700538beef8021126700000001000000027878787878787878"
    "7878787878787878";
constexpr const char* kQuoteOfTcp =
    "02000000000302000000090308004500004400010000400166a30a0900030a0900010304c3b200000578450000"
    "28000100004006aebb0a090001c000020a1388177000000000000000005002200098d60000";
constexpr const char* kQuoteOfFragment =
    "02000000000302000000090308004500004c000100004001669b0a0900030a0900010304a13400000578450000"
    "30000100b94011adef0a090001c000020a80211267000000010000000278787878787878787878787878787878";
constexpr const char* kEcho6 =
    "02000000000302000000090386dd6000000000543a4020010db800090000000000000000000320010db8000900"
    "00000000000000000180000c7d00000000600000000538114020010db800090000000000000000000120010db8"
    "000100000000000000000007138817700538beef80211267000000010000000278787878787878787878787878"
    "787878";
constexpr const char* kFragment =
    "02000000000302000000090308004500005400012000400146930a0900030a0900010304b21400000578450005"
    "4c000140003c116d8c0a090001c000020a138817700538beef8021126700000001000000027878787878787878"
    "7878787878787878";

TEST(IcmpErrorTest, fragmentation_needed_is_read) {
  const auto error = icmp_error_in(frame_of(kTooBig));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, IcmpError::Kind::TooBig);
  EXPECT_EQ(error->reporter, IpAddress::parse("10.9.0.3"));
  EXPECT_EQ(error->source.to_string(), "10.9.0.1:5000");
  EXPECT_EQ(error->client.to_string(), "192.0.2.10:6000");
  EXPECT_EQ(error->mtu, 1400u);
  EXPECT_EQ(error->quote.udp_length, 1336u);
  EXPECT_EQ(error->quote.udp_checksum, 0xbeefu);
  const std::array<std::uint8_t, 8> begin{0x80, 0x21, 0x12, 0x67, 0, 0, 0, 1};
  EXPECT_EQ(error->quote.begin, begin);
  EXPECT_EQ(error->quote.begin_bytes, 8u);
}

TEST(IcmpErrorTest, packet_too_big_is_read) {
  const auto error = icmp_error_in(frame_of(kTooBig6));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, IcmpError::Kind::TooBig);
  EXPECT_EQ(error->reporter, IpAddress::parse("2001:db8:9::3"));
  EXPECT_EQ(error->client.to_string(), "[2001:db8:1::7]:6000");
  EXPECT_EQ(error->mtu, 1280u);
  EXPECT_EQ(error->quote.begin_bytes, 8u);
}

TEST(IcmpErrorTest, port_unreachable_with_eight_bytes_quoted_has_nothing_of_the_payload) {
  const auto error = icmp_error_in(frame_of(kShortQuote));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, IcmpError::Kind::PortUnreachable);
  EXPECT_EQ(error->client.to_string(), "192.0.2.10:6000");
  EXPECT_EQ(error->mtu, 0u);
  EXPECT_EQ(error->quote.udp_checksum, 0xbeefu);
  EXPECT_EQ(error->quote.begin_bytes, 0u);
  const auto six = icmp_error_in(frame_of(kUnreachable6));
  ASSERT_TRUE(six);
  EXPECT_EQ(six->kind, IcmpError::Kind::PortUnreachable);
}

TEST(IcmpErrorTest, tags_and_options_are_passed_over) {
  const auto error = icmp_error_in(frame_of(kTaggedWithOptions));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->client.to_string(), "192.0.2.10:6000");
  EXPECT_EQ(error->mtu, 1400u);
}

TEST(IcmpErrorTest, host_that_cannot_be_reached_is_told_from_a_port) {
  const auto error = icmp_error_in(frame_of(kHostUnreachable));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, IcmpError::Kind::Unreachable);
}

TEST(IcmpErrorTest, other_messages_are_none) {
  for (const char* hex : {kEcho, kQuoteOfTcp, kQuoteOfFragment, kEcho6, kFragment})
    EXPECT_FALSE(icmp_error_in(frame_of(hex))) << hex;
}

TEST(IcmpErrorTest, cut_frames_and_wrong_sums_are_none) {
  for (const char* hex : {kTooBig, kTooBig6}) {
    const Frame whole = frame_of(hex);
    for (std::size_t length = 0; length < whole.size(); ++length)
      EXPECT_FALSE(icmp_error_in(std::span(whole).first(length))) << length;
    const std::size_t icmp = hex == std::string(kTooBig) ? 34 : 54;
    for (std::size_t at = icmp; at < whole.size(); ++at) {
      Frame damaged = whole;
      damaged[at] ^= std::byte{0x10};
      EXPECT_FALSE(icmp_error_in(damaged)) << at;
    }
  }
}

}  // namespace
}  // namespace castgate
