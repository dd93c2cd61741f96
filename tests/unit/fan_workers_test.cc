// SPDX-License-Identifier: Apache-2.0
// Clients of one stream that several workers serve: who gets what, in which order, and what a
// worker that is late costs whom.
#include "tests/support/fan_parts_lab.h"

namespace castgate::test {
namespace {

using FanWorkersTest = FanPartsLab;

TEST_F(FanWorkersTest, ten_thousand_clients_on_three_workers_get_every_packet_in_order) {
  constexpr unsigned kClients = 10'000;
  constexpr unsigned kPackets = 100;
  make();
  const auto places = join_many(kClients);
  for (unsigned n = 0; n < kPackets; ++n) {
    receive(n);
    if (n % 7 == 0) work_until_idle();
  }
  work_until_idle();
  std::size_t served = 0;
  for (const Part& part : parts_) {
    EXPECT_GE(part.out.numbers.size(), kClients / kParts);
    EXPECT_LE(part.out.numbers.size(), kClients / kParts + 1);
    served += part.out.numbers.size();
  }
  EXPECT_EQ(served, kClients);
  const auto all = numbers(0, kPackets);
  for (unsigned n = 0; n < kClients; ++n) {
    ASSERT_EQ(got(n, places[n]), all) << n;
    const ClientCounters counters = roster_->counters(places[n]);
    ASSERT_EQ(counters.packets, kPackets);
    ASSERT_EQ(counters.bytes, kPackets * (1316u + 42));
  }
  const Snapshot seen = snapshot();
  const UnicastSnapshot& output = seen.streams[0].unicasts[0];
  EXPECT_EQ(output.clients, kClients);
  EXPECT_EQ(output.packets, std::uint64_t{kClients} * kPackets);
  EXPECT_EQ(output.bytes, std::uint64_t{kClients} * kPackets * (1316 + 42));
  EXPECT_EQ(output.drops + output.backlog, 0u);
  EXPECT_EQ(seen.ledger.in, kPackets);
  EXPECT_EQ(seen.ledger.out, std::uint64_t{kClients} * kPackets);
}

TEST_F(FanWorkersTest, each_payload_is_shared_on_its_own_worker_only) {
  make();
  join_many(300);
  for (Part& part : parts_) part.out.keeps = true;
  receive(0);
  work_until_idle();
  for (Part& part : parts_) {
    ASSERT_EQ(part.out.kept.size(), 100u);
    rte_mbuf* payload = part.out.kept.front()->next;
    ASSERT_NE(payload, nullptr);
    EXPECT_EQ(payload->pool, part.packets.get());
    EXPECT_EQ(rte_mbuf_refcnt_read(payload), 100u);
    EXPECT_EQ(part.packets.in_use(), 1u);
  }
  for (Part& part : parts_) part.out.let_go();
}

TEST_F(FanWorkersTest, who_comes_and_goes_costs_the_others_nothing) {
  constexpr unsigned kPackets = 300;
  make();
  const auto places = join_many(600);
  std::deque<std::pair<unsigned, ClientPlace>> guests;
  for (unsigned n = 0; n < kPackets; ++n) {
    receive(n);
    for (unsigned w = 0; w < kParts; ++w) turn(w);
    guests.emplace_back(10'000 + n, join(10'000 + n));
    if (n % 3 == 0) work_until_idle();
    if (guests.size() <= 5) continue;
    leave(guests.front().second);
    guests.pop_front();
  }
  work_until_idle();
  const auto all = numbers(0, kPackets);
  for (unsigned n = 0; n < places.size(); ++n) ASSERT_EQ(got(n, places[n]), all) << n;
  EXPECT_EQ(snapshot().streams[0].unicasts[0].clients, places.size() + guests.size());
  EXPECT_EQ(drops(DropReason::Backlog), 0u);
  // A guest gets what comes while it is there, without a hole.
  for (const Part& part : parts_) {
    for (const auto& [client, got] : part.out.numbers) {
      if (client < 10'000 || got.empty()) continue;
      EXPECT_EQ(got, numbers(got.front(), got.front() + static_cast<unsigned>(got.size())));
    }
  }
}

TEST_F(FanWorkersTest, worker_that_stands_still_costs_its_own_clients_alone) {
  constexpr unsigned kPackets = 500;
  make();
  const auto places = join_many(30);
  for (unsigned n = 0; n < kPackets; ++n) {
    receive(n);
    turn(0);
    turn(1);
  }
  constexpr unsigned kWaiting = kRingSlots - 1 + kBurst;  // in the ring and before it
  EXPECT_EQ(drops(DropReason::Backlog), kPackets - kWaiting);
  EXPECT_EQ(snapshot().streams[0].unicasts[0].backlog, kPackets - kWaiting);
  EXPECT_EQ(parts_[2].packets.in_use(), kWaiting);
  EXPECT_TRUE(snapshot().ledger.balances());
  work_until_idle();
  for (unsigned n = 0; n < places.size(); ++n) {
    ASSERT_EQ(got(n, places[n]), numbers(0, places[n].part == 2 ? kWaiting : kPackets)) << n;
  }
}

TEST_F(FanWorkersTest, worker_without_buffers_costs_its_own_clients_alone) {
  make({kParts}, 511);
  const auto places = join_many(30);
  std::vector<rte_mbuf*> taken;
  while (rte_mbuf* packet = rte_pktmbuf_alloc(parts_[1].packets.get())) taken.push_back(packet);
  for (unsigned n = 0; n < 10; ++n) {
    receive(n);
    work_until_idle();
  }
  EXPECT_EQ(drops(DropReason::CopyFailed), 10u);
  for (rte_mbuf* packet : taken) rte_pktmbuf_free(packet);
  for (unsigned n = 0; n < places.size(); ++n) {
    ASSERT_EQ(got(n, places[n]).size(), places[n].part == 1 ? 0u : 10u) << n;
  }
}

TEST_F(FanWorkersTest, workers_without_clients_get_no_packets) {
  make();
  receive(0);
  EXPECT_EQ(drops(DropReason::NoClient), 1u);
  const auto places = join_many(2);
  leave(places[0]);  // the stream's own worker has none left
  receive(1);
  EXPECT_EQ(rings_[0].waiting(), 1u);
  EXPECT_EQ(rings_[1].waiting(), 0u);
  work_until_idle();
  EXPECT_EQ(got(1, places[1]), numbers(1, 2));
  EXPECT_EQ(drops(DropReason::NoClient), 1u);
  receive(2);
  leave(places[1]);  // on its way to nobody
  work_until_idle();
  EXPECT_EQ(drops(DropReason::NoClient), 2u);
}

TEST_F(FanWorkersTest, refused_copies_are_their_clients_on_every_worker) {
  make();
  const auto places = join_many(90);
  for (Part& part : parts_) part.out.accepts = 20;
  receive(0);
  work_until_idle();
  for (Part& part : parts_) part.pipeline->drain(now_);
  for (unsigned n = 0; n < places.size(); ++n) {
    const auto full =
        roster_->counters(places[n]).drops[static_cast<std::size_t>(ClientDrop::TxFull)];
    EXPECT_EQ(full, got(n, places[n]).empty() ? 1u : 0u) << n;
  }
  EXPECT_EQ(drops(DropReason::TxFull), 30u);
  EXPECT_EQ(snapshot().streams[0].unicasts[0].drops, 30u);
}

// A port whose queue is one worker's sends other workers' packets: it cannot tell their clients.
TEST_F(FanWorkersTest, refusal_of_another_parts_packet_is_nobodys_here) {
  over_ring_ = 1;
  make();
  const auto places = join_many(6);
  parts_[1].out.keeps = true;
  receive(0);
  work_until_idle();
  ASSERT_EQ(parts_[1].out.kept.size(), 2u);
  parts_[0].out.accepts = 0;
  parts_[0].pipeline->relay(1, parts_[1].out.kept);
  parts_[0].pipeline->drain(now_);
  parts_[1].out.kept.clear();
  for (const ClientPlace& place : places) {
    EXPECT_EQ(roster_->counters(place).drops, ClientCounters{}.drops);
  }
  EXPECT_EQ(drops(DropReason::TxFull), 2u);
}

TEST_F(FanWorkersTest, outputs_of_one_stream_are_split_each_as_it_asks) {
  make({1, kParts});
  for (unsigned n = 0; n < 9; ++n) {
    EXPECT_EQ(join(n, 0).part, 0u);
    EXPECT_EQ(join(100 + n, 1).part, n % kParts);
  }
  receive(0);
  work_until_idle();
  EXPECT_EQ(parts_[0].out.order.size(), 12u);
  EXPECT_EQ(parts_[1].out.order.size(), 3u);
  const Snapshot seen = snapshot();
  EXPECT_EQ(seen.streams[0].unicasts[0].packets, 9u);
  EXPECT_EQ(seen.streams[0].unicasts[1].packets, 9u);
}

TEST_F(FanWorkersTest, who_joins_goes_where_the_fewest_are_and_max_clients_holds_for_all) {
  make();
  spec_.streams[0].unicasts[0].max_clients = 7;
  ClientRoster roster(spec_, parts_[0].ports);
  const ClientRoute route{.to = {IpAddress::v4(0x0a000001), 6000},
                          .source = IpAddress::v4(0x0a0000fe)};
  std::vector<ClientPlace> places;
  for (unsigned n = 0; n < 7; ++n) {
    const auto joined = roster.join(route, nullptr, roster.next_part(route), 0);
    ASSERT_TRUE(joined);
    places.push_back(joined->client.place);
    EXPECT_EQ(places.back().part, n % kParts);
  }
  EXPECT_FALSE(roster.join(route, nullptr, roster.next_part(route), 0));
  roster.leave(places[1], 1);
  roster.leave(places[4], 1);
  EXPECT_EQ(roster.next_part(route), 1u);
  const auto again = roster.join(route, nullptr, 1, 0);  // the worker has not let its slots go
  ASSERT_TRUE(again);
  EXPECT_EQ(again->client.place.slot, 2u);
}

}  // namespace
}  // namespace castgate::test
