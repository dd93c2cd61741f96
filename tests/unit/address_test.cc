// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/address.h"

#include <gtest/gtest.h>

namespace castgate {
namespace {

IpAddress ip(const std::string& text) {
  return IpAddress::parse(text).value();
}

TEST(IpAddressTest, text_comes_back_as_it_was_written) {
  for (const std::string text : {"0.0.0.0", "239.1.0.1", "255.255.255.255", "::", "::1", "ff3e::1"})
    EXPECT_EQ(ip(text).to_string(), text);
}

TEST(IpAddressTest, what_is_no_address_is_refused) {
  for (const std::string text : {"", "239.1.0", "239.1.0.256", "239.1.0.1 ", "ff3e:::1", "news"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
}

TEST(IpAddressTest, kinds_of_address_are_told_apart) {
  EXPECT_TRUE(ip("224.0.0.1").is_multicast());
  EXPECT_TRUE(ip("239.255.255.255").is_multicast());
  EXPECT_FALSE(ip("240.0.0.1").is_multicast());
  EXPECT_TRUE(ip("ff02::1").is_multicast());
  EXPECT_FALSE(ip("fe80::1").is_multicast());
  EXPECT_TRUE(ip("127.1.2.3").is_loopback());
  EXPECT_TRUE(ip("::1").is_loopback());
  EXPECT_TRUE(ip("::").is_unspecified());
  EXPECT_FALSE(ip("0.0.0.1").is_unspecified());
}

TEST(IpPrefixTest, holds_its_own_network_and_nothing_else) {
  const auto prefix = IpPrefix::parse("10.1.0.2/23").value();
  EXPECT_TRUE(prefix.contains(ip("10.1.1.255")));
  EXPECT_FALSE(prefix.contains(ip("10.1.2.0")));
  EXPECT_FALSE(prefix.contains(ip("::ffff")));
  const auto six = IpPrefix::parse("2001:db8::/61").value();
  EXPECT_TRUE(six.contains(ip("2001:db8:0:7::1")));
  EXPECT_FALSE(six.contains(ip("2001:db8:0:8::1")));
  EXPECT_TRUE(IpPrefix::parse("0.0.0.0/0").value().contains(ip("8.8.8.8")));
}

TEST(IpPrefixTest, length_beyond_the_family_is_refused) {
  for (const std::string text : {"10.1.0.2", "10.1.0.2/", "10.1.0.2/33", "10.1.0.2/-1", "::/129"})
    EXPECT_FALSE(IpPrefix::parse(text)) << text;
}

TEST(MacAddressTest, six_pairs_of_hex_digits_are_read) {
  EXPECT_EQ(MacAddress::parse("02:00:5E:0a:ff:01").value().to_string(), "02:00:5e:0a:ff:01");
  EXPECT_FALSE(MacAddress::parse("02:00:5e:0a:ff:01").value().bytes[0] & 1);
  for (const std::string text : {"02:00:5e:0a:ff", "02-00-5e-0a-ff-01", "02:00:5e:0a:ff:0g",
                                 "02:00:5e:0a:ff:01:", "0:00:5e:0a:ff:011"})
    EXPECT_FALSE(MacAddress::parse(text)) << text;
}

// RFC 1112 6.4: the low 23 bits; RFC 2464 7: the low 32 bits.
TEST(MacAddressTest, group_gives_the_ethernet_address) {
  EXPECT_EQ(multicast_mac(ip("239.129.2.3")).to_string(), "01:00:5e:01:02:03");
  EXPECT_EQ(multicast_mac(ip("ff3e::8001:203")).to_string(), "33:33:80:01:02:03");
}

TEST(EndpointTest, both_families_come_back_as_written) {
  for (const std::string text : {"239.1.0.1:5000", "[ff3e::1]:65535"})
    EXPECT_EQ(Endpoint::parse(text).value().to_string(), text);
  for (const std::string text : {"239.1.0.1", "239.1.0.1:0", "239.1.0.1:65536", "239.1.0.1:+5",
                                 "[239.1.0.1]:5", "ff3e::1:5000", "[ff3e::1]", ":5"})
    EXPECT_FALSE(Endpoint::parse(text)) << text;
}

TEST(VlanTagsTest, one_tag_or_two_are_read) {
  EXPECT_EQ(VlanTags::parse("43").value(), (VlanTags{43, 0}));
  EXPECT_EQ(VlanTags::parse("100.43").value(), (VlanTags{100, 43}));
  for (const std::string text : {"", "4095", "100.", ".43", "100.4095", "1.2.3"})
    EXPECT_FALSE(VlanTags::parse(text)) << text;
}

}  // namespace
}  // namespace castgate
