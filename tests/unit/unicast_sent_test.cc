// SPDX-License-Identifier: Apache-2.0
// Copies to clients, as they left, are known afterwards: each as its own client's.
#include "tests/support/fan_lab.h"
#include "tests/support/quoted.h"

namespace castgate::test {
namespace {

class UnicastSentTest : public FanLab {
 protected:
  ClientPlace join_v6() {
    ClientRoute route{.to = Endpoint::parse("[2001:db8:9::7]:6000").value()};
    route.source = IpAddress::parse("2001:db8:9::1").value();
    route.next_hop = MacAddress{{2, 0, 0, 0, 0, 7}};
    const auto command = roster_->join(route, nullptr, 0, done_);
    carry_out(*command);
    return command->client.place;
  }
  // UDP of the copies that left, in their order.
  std::vector<Bytes> copies() {
    std::vector<Bytes> all;
    for (const rte_mbuf* packet : out_.kept) {
      Bytes bytes;
      for (const rte_mbuf* part = packet; part != nullptr; part = part->next) {
        const auto* from = rte_pktmbuf_mtod(part, const std::uint8_t*);
        bytes.insert(bytes.end(), from, from + part->data_len);
      }
      bytes.erase(bytes.begin(), bytes.begin() + 14 + (bytes[14] >> 4 == 6 ? 40 : 20));
      all.push_back(std::move(bytes));
    }
    return all;
  }
};

TEST_F(UnicastSentTest, every_copy_that_left_is_its_own_clients) {
  make();
  const std::vector<ClientPlace> places{join(1), join(200), join_v6()};
  out_.keeps = true;
  for (unsigned n = 0; n < 5; ++n) receive(n);
  work_until_idle();
  const auto all = copies();
  ASSERT_EQ(all.size(), 15u);
  for (std::size_t c = 0; c < all.size(); ++c) {
    for (std::size_t client = 0; client < places.size(); ++client) {
      const auto found = roster_->find_sent(places[client], quote_of(all[c], 8), now_);
      ASSERT_EQ(found.has_value(), client == c % 3) << c << " " << client;
      if (found) {
        EXPECT_EQ(found->number, c / 3);
      }
    }
  }
}

TEST_F(UnicastSentTest, nothing_is_remembered_before_the_first_client_and_after_the_last) {
  make();
  receive(1);
  const auto place = join(1);
  EXPECT_FALSE(roster_->find_sent(place, {}, now_));
  out_.keeps = true;
  receive(2);
  work_until_idle();
  const QuotedPacket quote = quote_of(copies().at(0), 16);
  const auto found = roster_->find_sent(place, quote, now_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->number, 0u);
  leave(place);
  receive(3);
  const auto again = join(1);
  EXPECT_EQ(roster_->find_sent(again, quote, now_)->number, 0u) << "the newest";
}

}  // namespace
}  // namespace castgate::test
