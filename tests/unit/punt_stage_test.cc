// SPDX-License-Identifier: Apache-2.0
#include "dataplane/punt/punt_stage.h"

#include "tests/support/quiet_eal.h"

namespace castgate {
namespace {

class PuntTest : public test::DriverTest {};

TEST_F(PuntTest, flood_of_one_class_leaves_room_for_the_others) {
  auto ring = PacketRing::make("punt", 4096);
  ASSERT_TRUE(ring.has_value());
  PuntStage stage({true, false}, *ring);
  const Instant now{5'000'000'000};
  const auto offer = [&](unsigned port, HostKind kind) {
    rte_mbuf* packet = rte_pktmbuf_alloc(pool());
    if (stage.punt(packet, port, kind, now)) return true;
    rte_pktmbuf_free(packet);
    return false;
  };
  EXPECT_FALSE(offer(1, HostKind::Arp));  // no host stack behind that port
  for (unsigned i = 0; i < 1000; ++i) EXPECT_TRUE(offer(0, HostKind::Igmp));
  EXPECT_EQ(stage.punted(0), 10u);    // a tenth of a second of 100 a second
  EXPECT_EQ(stage.policed(0), 990u);  // punt_policed
  EXPECT_TRUE(offer(0, HostKind::Arp));
  EXPECT_EQ(stage.punted(0), 11u);
}

TEST_F(PuntTest, icmp_errors_are_handed_up_from_every_port) {
  auto ring = PacketRing::make("punt_errors", 4096);
  ASSERT_TRUE(ring.has_value());
  PuntStage stage({true, false}, *ring);
  const Instant now{5'000'000'000};
  for (const unsigned port : {0u, 1u}) {
    for (unsigned i = 0; i < 200; ++i)
      EXPECT_TRUE(stage.punt(rte_pktmbuf_alloc(pool()), port, HostKind::IcmpError, now));
    EXPECT_EQ(stage.punted(port), 100u);
    EXPECT_EQ(stage.policed(port), 100u);
  }
  EXPECT_TRUE(stage.punt(rte_pktmbuf_alloc(pool()), 0, HostKind::NeighbourOrMld, now));
  EXPECT_EQ(stage.punted(0), 101u) << "a flood of errors takes nothing of ND";
}

TEST_F(PuntTest, full_ring_is_counted_as_punt_full) {
  auto ring = PacketRing::make("punt_full", 8);
  ASSERT_TRUE(ring.has_value());
  PuntStage stage({true}, *ring);
  for (unsigned i = 0; i < 10; ++i) {
    EXPECT_TRUE(stage.punt(rte_pktmbuf_alloc(pool()), 0, HostKind::Arp, {5'000'000'000}));
  }
  EXPECT_EQ(stage.punted(0), 7u);
  EXPECT_EQ(stage.full(0), 3u);
}

}  // namespace
}  // namespace castgate
