// SPDX-License-Identifier: Apache-2.0
// The MTU of the way to a client, as routers tell it.
#include "tests/support/path_lab.h"

namespace castgate::test {
namespace {

class PathMtuTest : public PathErrorsTest {};

TEST_F(PathMtuTest, narrower_way_is_told_to_the_worker_and_forgotten_after_ten_minutes) {
  join();
  join("10.9.0.8:6000");
  EXPECT_EQ(mtu(), 1500u);
  EXPECT_TRUE(tell({.code = 4, .mtu = 1300}));
  EXPECT_EQ(mtu(), 1300u);
  EXPECT_EQ(mtu("10.9.0.8:6000"), 1500u);
  pass(1ms);
  ASSERT_EQ(runtime_.changed.size(), 1u);
  EXPECT_EQ(runtime_.changed[0].first, client()->place);
  EXPECT_EQ(runtime_.changed[0].second.mtu, 1300u);
  EXPECT_EQ(runtime_.changed[0].second.next_hop, (MacAddress{{2, 0, 0, 0, 9, 7}}));
  pass(5min);
  EXPECT_TRUE(tell({.code = 4, .mtu = 1300}));  // and so five minutes more
  pass(9min);
  EXPECT_EQ(mtu(), 1300u);
  EXPECT_EQ(runtime_.changed.size(), 1u);
  pass(1min);
  EXPECT_EQ(mtu(), 1500u);
  ASSERT_EQ(runtime_.changed.size(), 2u);
  EXPECT_EQ(runtime_.changed[1].second.mtu, 0u);
  EXPECT_EQ(counted().mtu_lowered, 1u);
  EXPECT_EQ(counted().mtu_expired, 1u);
}

TEST_F(PathMtuTest, mtu_is_never_raised_and_has_a_floor) {
  join();
  join("[2001:db8:9::7]:6000");
  tell({.code = 4, .mtu = 1000});
  EXPECT_EQ(mtu(), 1000u);
  tell({.code = 4, .mtu = 1200, .checksum = 0x2222});
  EXPECT_EQ(mtu(), 1000u);
  tell({.code = 4, .mtu = 68});
  EXPECT_EQ(mtu(), 576u);
  const auto too_big_6 = [&](unsigned told) {
    return Told{.source = "[2001:db8:9::1]:5000",
                .client = "[2001:db8:9::7]:6000",
                .type = 2,
                .code = 0,
                .mtu = told};
  };
  EXPECT_TRUE(tell(too_big_6(1290)));
  EXPECT_EQ(mtu("[2001:db8:9::7]:6000"), 1290u);
  EXPECT_TRUE(tell(too_big_6(600)));
  EXPECT_EQ(mtu("[2001:db8:9::7]:6000"), 1280u);
  EXPECT_EQ(counted().mtu_lowered, 4u);
}

TEST_F(PathMtuTest, router_that_names_no_mtu_means_the_next_usual_one) {
  join();
  tell({.code = 4, .payload = 1472});
  EXPECT_EQ(mtu(), 1492u);
  tell({.code = 4});  // of 1344 bytes
  EXPECT_EQ(mtu(), 1006u);
  tell({.code = 4, .payload = 500});
  EXPECT_EQ(mtu(), 1006u) << "a packet of 528 bytes is not too big for 576";
  EXPECT_EQ(counted().forged, 1u);
}

TEST_F(PathMtuTest, mtu_of_a_packet_that_was_never_sent_or_is_not_that_large_changes_nothing) {
  join();
  EXPECT_TRUE(tell({.code = 4, .mtu = 1000, .checksum = 0xbad0}));
  EXPECT_TRUE(tell({.code = 4, .mtu = 1344}));  // the packet is of 1344 bytes
  EXPECT_FALSE(tell({.source = "10.9.0.2:5000", .code = 4, .mtu = 68}));
  EXPECT_EQ(mtu(), 1500u);
  EXPECT_EQ(counted().forged, 2u);
  EXPECT_EQ(counted().too_big, 0u);
  EXPECT_TRUE(tell({.code = 4, .mtu = 1343}));
  EXPECT_EQ(mtu(), 1343u);
}

TEST_F(PathMtuTest, mac_address_that_changes_leaves_the_mtu_as_it_is) {
  spec_.ports[0].neighbours.clear();
  join();
  clients_.next_hops().changed({0, {}, *IpAddress::parse("10.9.0.7")}, MacAddress{{2, 1}});
  pass(1ms);
  tell({.code = 4, .mtu = 1000});
  pass(1ms);
  clients_.next_hops().changed({0, {}, *IpAddress::parse("10.9.0.7")}, MacAddress{{2, 2}});
  pass(1ms);
  ASSERT_EQ(runtime_.changed.size(), 3u);
  EXPECT_EQ(runtime_.changed[1].second.next_hop, (MacAddress{{2, 1}}));
  EXPECT_EQ(runtime_.changed[2].second.next_hop, (MacAddress{{2, 2}}));
  EXPECT_EQ(runtime_.changed[2].second.mtu, 1000u);
}

}  // namespace
}  // namespace castgate::test
