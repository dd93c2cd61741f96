// SPDX-License-Identifier: Apache-2.0
// Headers of many copies at once are those that each would have been given alone.
#include "dataplane/replicate/plain_copies.h"

#include <random>

#include <gtest/gtest.h>

namespace castgate::test {
namespace {

using Header = std::array<std::uint8_t, HeaderTemplate::kShort>;

HeaderTemplate client(std::mt19937_64& random, std::optional<std::uint8_t> dscp) {
  const Destination to{
      .next_hop = {{2, 0, 0, 0, 0, 7}},
      .source = IpAddress::v4(static_cast<std::uint32_t>(random())),
      .source_port = static_cast<std::uint16_t>(random()),
      .to = {IpAddress::v4(static_cast<std::uint32_t>(random())), 6000},
      .ttl = static_cast<std::uint8_t>(1 + random() % 255),
      .dscp = dscp,
  };
  LongHeader whole;
  HeaderTemplate made = make_headers(to, {{2, 0, 0, 0, 0, 9}}, whole);
  made.packets = static_cast<std::uint32_t>(random());
  return made;
}

void expect_same(const HeaderTemplate& output, const ReceivedHeaders& received,
                 std::uint16_t length) {
  const std::vector<std::uint8_t> payload(length, 0x5a);
  Header alone{};
  Header together{};
  write_headers(alone.data() + alone.size(), payload, received, output, {});
  PlainHeaders(length, received, output).write(together.data(), output);
  ASSERT_EQ(together, alone) << "checksum " << received.udp_checksum << " sum "
                             << received.pseudo_sum << " to " << output.pseudo_sum;
}

TEST(PlainCopiesTest, headers_are_the_same_whatever_the_packet_and_the_client) {
  std::mt19937_64 random(7);
  for (unsigned n = 0; n < 200'000; ++n) {
    const auto dscp = n % 2 == 0 ? std::nullopt : std::optional<std::uint8_t>(random() % 64);
    const ReceivedHeaders received{.pseudo_sum = random() % 0x3ffff'ffffull,
                                   .udp_checksum = static_cast<std::uint16_t>(random()),
                                   .tos = static_cast<std::uint8_t>(random()),
                                   .ttl = static_cast<std::uint8_t>(random())};
    expect_same(client(random, dscp), received, static_cast<std::uint16_t>(random() % 1473));
  }
}

TEST(PlainCopiesTest, every_checksum_is_the_same) {
  std::mt19937_64 random(8);
  HeaderTemplate output = client(random, 0);
  for (const unsigned sum : {0x0u, 0x1u, 0x7fffu, 0x8000u, 0xfffeu, 0xffffu}) {
    output.pseudo_sum = static_cast<std::uint16_t>(sum);
    for (unsigned checksum = 0; checksum <= 0xffff; ++checksum) {
      const ReceivedHeaders received{.pseudo_sum = 0xffff,
                                     .udp_checksum = static_cast<std::uint16_t>(checksum),
                                     .tos = 0,
                                     .ttl = 9};
      expect_same(output, received, 100);
    }
  }
  for (unsigned packets = 0; packets <= 0x1'0000; ++packets) {
    output.packets = packets;
    expect_same(output, {.pseudo_sum = 5, .udp_checksum = 77, .tos = 0xb8, .ttl = 9}, 1316);
  }
}

TEST(PlainCopiesTest, description_is_that_of_a_buffer_fresh_from_its_pool) {
  rte_mbuf used;
  std::memset(&used, 0xee, sizeof used);
  const ClientTag tag{.stream = 3, .unicast = 5, .slot = 0};
  CopyDescription(2, 1358, 42, tag).write(&used, 70'000);
  EXPECT_EQ(used.data_off, RTE_PKTMBUF_HEADROOM);
  EXPECT_EQ(used.refcnt, 1);
  EXPECT_EQ(used.nb_segs, 2);
  EXPECT_EQ(used.port, RTE_MBUF_PORT_INVALID);
  EXPECT_EQ(used.ol_flags, 0u);
  EXPECT_EQ(used.packet_type, 0u);
  EXPECT_EQ(used.pkt_len, 1358u);
  EXPECT_EQ(used.data_len, 42);
  EXPECT_EQ(used.vlan_tci, 0);
  ASSERT_TRUE(is_to_client(tag_of(&used)));
  const ClientTag got = client_tag_of(tag_of(&used));
  EXPECT_EQ(got.stream, 3);
  EXPECT_EQ(got.unicast, 5);
  EXPECT_EQ(got.slot, 70'000u);
  EXPECT_EQ(used.buf_len, 0xeeee);  // the pool's own
}

}  // namespace
}  // namespace castgate::test
