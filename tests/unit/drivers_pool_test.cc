// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "drivers/linearise.h"
#include "tests/support/quiet_eal.h"

namespace castgate {
namespace {

using test::Bytes;
using test::pattern;

class PoolTest : public test::DriverTest {};

TEST_F(PoolTest, jumbo_frame_fits_one_segment) {
  auto jumbo = PacketPool::make({.name = "jumbo", .packets = 63, .max_frame = 9018, .cache = 16});
  ASSERT_TRUE(jumbo) << jumbo.error().text;
  rte_mbuf* packet = rte_pktmbuf_alloc(jumbo->get());
  EXPECT_NE(rte_pktmbuf_append(packet, 9018), nullptr);
  EXPECT_EQ(packet->nb_segs, 1);
  EXPECT_EQ(jumbo->in_use(), 1u);
  rte_pktmbuf_free(packet);
  EXPECT_EQ(jumbo->in_use(), 0u);
}

TEST_F(PoolTest, two_pools_of_one_name_live_side_by_side) {
  const PacketPoolOptions options{.name = "same", .packets = 63, .cache = 16};
  const auto one = PacketPool::make(options);
  const auto two = PacketPool::make(options);
  ASSERT_TRUE(one && two);
  EXPECT_NE(one->get(), two->get());
}

TEST_F(PoolTest, pool_that_does_not_fit_says_how_much_it_needs) {
  const PacketPoolOptions options{.name = "huge", .packets = (1u << 20) - 1};
  const auto huge = PacketPool::make(options);
  ASSERT_FALSE(huge);
  EXPECT_NE(huge.error().text.find("packet pool huge"), std::string::npos);
  EXPECT_NE(huge.error().text.find("MiB"), std::string::npos);
  EXPECT_GE(PacketPool::footprint(options), std::size_t{1} << 31);
}

TEST_F(PoolTest, chain_becomes_one_segment_with_the_same_bytes) {
  const Bytes header = pattern(42, 1);
  const Bytes payload = pattern(1400, 2);
  rte_mbuf* packet = test::chain(pool(), header, test::one_segment(pool(), payload));
  rte_mbuf* whole = linearised(packet, pool());
  ASSERT_NE(whole, nullptr);
  EXPECT_TRUE(is_linear(whole));
  EXPECT_FALSE(is_linear(packet));
  Bytes expected = header;
  expected.insert(expected.end(), payload.begin(), payload.end());
  EXPECT_EQ(test::bytes_of(whole), expected);
  rte_pktmbuf_free(whole);
  rte_pktmbuf_free(packet);
}

TEST_F(PoolTest, clone_is_not_linear_and_its_copy_has_its_bytes) {
  rte_mbuf* packet = test::one_segment(pool(), pattern(600));
  rte_mbuf* clone = rte_pktmbuf_clone(packet, pool());
  EXPECT_FALSE(is_linear(clone));
  rte_mbuf* whole = linearised(clone, pool());
  EXPECT_EQ(test::bytes_of(whole), pattern(600));
  for (rte_mbuf* m : {packet, clone, whole}) rte_pktmbuf_free(m);
}

TEST_F(PoolTest, packet_longer_than_a_segment_of_the_pool_is_refused) {
  rte_mbuf* packet = test::one_segment(pool(), pattern(1500));
  for (unsigned i = 0; i < 3; ++i) {
    packet = test::chain(pool(), pattern(1000), packet);
  }
  EXPECT_EQ(linearised(packet, pool()), nullptr);
  rte_pktmbuf_free(packet);
}

TEST_F(PoolTest, empty_pool_gives_no_copy_and_recovers) {
  auto small = PacketPool::make({.name = "small", .packets = 1, .cache = 0});
  ASSERT_TRUE(small) << small.error().text;
  rte_mbuf* packet = test::one_segment(pool(), pattern(100));
  rte_mbuf* first = linearised(packet, small->get());
  EXPECT_EQ(linearised(packet, small->get()), nullptr);
  rte_pktmbuf_free(first);
  first = linearised(packet, small->get());
  EXPECT_NE(first, nullptr);
  rte_pktmbuf_free(first);
  rte_pktmbuf_free(packet);
}

}  // namespace
}  // namespace castgate
