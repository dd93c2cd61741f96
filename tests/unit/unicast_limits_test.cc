// SPDX-License-Identifier: Apache-2.0
// What single clients cannot have: packets over their rate, or larger than their way takes.
#include "tests/support/fan_lab.h"

namespace castgate::test {
namespace {

using std::chrono::milliseconds;

TEST(ClientRateTest, an_even_stream_at_the_rate_passes_and_a_faster_one_gets_the_rate) {
  constexpr std::uint64_t kRate = 8'000'000;  // a byte in 1 us
  for (const unsigned percent : {50u, 100u, 150u, 400u}) {
    const ClientRate rate(kRate);
    std::int64_t used_until = 0;
    std::uint64_t bytes = 0;
    const std::int64_t step = 1'000'000 * 100 / percent;  // ns between packets of 1000 bytes
    const std::int64_t begin = 7'000'000'000;
    for (std::int64_t at = 0; at < 10'000'000'000; at += step) {
      if (rate.take(used_until, Instant{begin + at}, 1'000)) bytes += 1'000;
    }
    const std::uint64_t sent = std::uint64_t{100'000} * percent;
    const std::uint64_t allowed = 10'000'000 + 100'000;
    EXPECT_NEAR(static_cast<double>(bytes), static_cast<double>(std::min(sent, allowed)), 2'000.0)
        << percent;
  }
}

TEST(ClientRateTest, no_packet_is_too_long_for_ever) {
  const ClientRate rate(1'000);
  std::int64_t used_until = 0;
  EXPECT_TRUE(rate.take(used_until, Instant{1}, 65'535));  // 524 s of it
  EXPECT_FALSE(rate.take(used_until, Instant{500'000'000'000}, 1));
  EXPECT_TRUE(rate.take(used_until, Instant{525'000'000'000}, 1));
  EXPECT_FALSE(ClientRate(0).limits());
}

class UnicastLimitsTest : public FanLab {
 protected:
  void make_with(std::uint64_t max_rate, TooBig too_big) {
    change_ = [=](UnicastSpec& unicast) {
      unicast.max_rate_bps = max_rate;
      unicast.too_big = too_big;
    };
    make();
  }
  ClientPlace join_with_mtu(unsigned number, std::uint16_t mtu) {
    ClientRoute route{.to = {IpAddress::v4(0x0a000000 + number), 6000}};
    route.source = IpAddress::v4(0x0a0000fe);
    route.next_hop = MacAddress{{2, 0, 0, 0, 0, 7}};
    route.mtu = mtu;
    const auto command = roster_->join(route, nullptr, 0, done_);
    carry_out(*command);
    return command->client.place;
  }
  std::uint64_t dropped(const ClientPlace& place, ClientDrop why) {
    return roster_->counters(place).drops[static_cast<std::size_t>(why)];
  }
};

TEST_F(UnicastLimitsTest, each_client_gets_its_rate_and_what_is_more_is_its_own_loss) {
  make_with(10'752'000, TooBig::Drop);  // a packet of 1344 bytes each millisecond
  const auto first = join(1);
  constexpr unsigned kPackets = 4'000;  // ten a millisecond
  ClientPlace later;
  for (unsigned n = 0; n < kPackets; ++n) {
    if (n == kPackets / 2) later = join(2);
    receive(n);
    work_until_idle();
  }
  const auto got = [&](unsigned client) { return out_.numbers[client].size(); };
  EXPECT_NEAR(static_cast<double>(got(1)), 400 + 100, 3);
  EXPECT_NEAR(static_cast<double>(got(2)), 200 + 100, 3);
  EXPECT_EQ(dropped(first, ClientDrop::Quota), kPackets - got(1));
  EXPECT_EQ(dropped(later, ClientDrop::Quota), kPackets / 2 - got(2));
  EXPECT_EQ(drops(DropReason::Quota), kPackets - got(1) + kPackets / 2 - got(2));
  EXPECT_EQ(heads_->in_use(), 0u);
}

TEST_F(UnicastLimitsTest, who_takes_a_place_that_was_left_has_a_rate_of_its_own) {
  make_with(1'000, TooBig::Drop);
  const auto first = join(1);
  receive(0);
  work_until_idle();
  leave(first);
  ++done_;
  EXPECT_EQ(join(2).slot, first.slot);
  receive(1);
  work_until_idle();
  EXPECT_EQ(out_.numbers[2].size(), 1u);
}

TEST_F(UnicastLimitsTest, packet_over_the_mtu_of_one_way_goes_there_in_fragments) {
  make_with(0, TooBig::Fragment);
  join(1);
  const auto narrow = join_with_mtu(2, 576);
  join(3);
  out_.keeps = true;
  receive(5);
  work_until_idle();
  ASSERT_EQ(out_.kept.size(), 2u + 3u);
  std::vector<std::uint8_t> whole(8 + 1316);
  std::size_t bytes = 0;
  std::set<unsigned> ids;
  for (const rte_mbuf* packet : out_.kept) {
    const auto* ip = rte_pktmbuf_mtod(packet, const std::uint8_t*) + 14;
    if (ip[19] != 2) continue;
    const unsigned total = load_be16(ip + 2);
    const unsigned offset = (load_be16(ip + 6) & 0x1fffu) * 8u;
    EXPECT_LE(total, 576u);
    EXPECT_EQ(packet->pkt_len, total + 14);
    EXPECT_EQ(packet->nb_segs, 1);
    EXPECT_TRUE(ip_header_sums_up(ip));
    EXPECT_EQ(load_be16(ip + 6) & 0xc000u, 0u);  // may be fragmented on
    EXPECT_EQ((load_be16(ip + 6) & 0x2000u) != 0, offset + total - 20 < whole.size());
    ids.insert(load_be16(ip + 4));
    std::memcpy(whole.data() + offset, ip + 20, total - 20);
    bytes += total - 20;
  }
  EXPECT_EQ(bytes, whole.size());
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(load_be16(whole.data() + 4), whole.size());
  EXPECT_EQ(whole[8], 0x80);
  EXPECT_TRUE(std::all_of(whole.begin() + 12, whole.end(), [](auto b) { return b == 0x5a; }));
  EXPECT_EQ(roster_->counters(narrow).packets, 3u);
  EXPECT_EQ(dropped(narrow, ClientDrop::Mtu), 0u);
}

// Narrow ways alone, and among others: 3 fragments of each packet.
TEST_F(UnicastLimitsTest, fragments_count_toward_what_a_turn_makes) {
  make_with(0, TooBig::Fragment);
  unsigned packets = 0;
  for (unsigned n = 0; n < 400; ++n) {
    const bool narrow = n < 200 || n % 5 == 0;
    if (narrow) {
      join_with_mtu(n, 576);
    } else {
      join(n);
    }
    packets += narrow ? 3 : 1;
  }
  receive(5);
  std::size_t before = 0;
  unsigned turns = 0;
  do {
    pipeline_->flush();
    EXPECT_LE(out_.order.size() - before, ClientFan::kCopiesPerTurn + 2);
    before = out_.order.size();
    ++turns;
  } while (!pipeline_->idle());
  EXPECT_EQ(out_.order.size(), packets);
  EXPECT_LE(turns, packets / ClientFan::kCopiesPerTurn + 2) << "each turn makes as many as it may";
  EXPECT_EQ(std::set(out_.order.begin(), out_.order.end()).size(), 400u);
}

TEST_F(UnicastLimitsTest, without_fragments_it_is_dropped_for_that_client) {
  make_with(0, TooBig::Drop);
  join(1);
  const auto narrow = join_with_mtu(2, 576);
  receive(5);
  work_until_idle();
  EXPECT_EQ(out_.order.size(), 1u);
  EXPECT_EQ(dropped(narrow, ClientDrop::Mtu), 1u);
}

TEST_F(UnicastLimitsTest, fragments_that_find_no_buffer_are_one_loss_each_and_no_leak) {
  make_with(0, TooBig::Fragment);
  const auto narrow = join_with_mtu(2, 68);
  receive(0);
  work_until_idle();
  EXPECT_EQ(roster_->counters(narrow).packets, 28u);  // of 48 bytes
  std::vector<rte_mbuf*> taken;
  while (rte_mbuf* packet = rte_pktmbuf_alloc(pool())) taken.push_back(packet);
  for (unsigned n = 0; n < 20; ++n, taken.pop_back()) rte_pktmbuf_free(taken.back());
  receive(1);
  work_until_idle();
  EXPECT_EQ(dropped(narrow, ClientDrop::CopyFailed), 1u);
  for (rte_mbuf* packet : taken) rte_pktmbuf_free(packet);
}

}  // namespace
}  // namespace castgate::test
