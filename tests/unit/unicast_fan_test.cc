// SPDX-License-Identifier: Apache-2.0
// A stream's packets on their way to its clients: order, budget, backlog, and what is lost by whom.
#include <set>

#include "tests/support/fan_lab.h"

namespace castgate::test {
namespace {

using UnicastFanTest = FanLab;

TEST_F(UnicastFanTest, turn_makes_no_more_copies_than_its_budget_and_order_holds) {
  make();
  join_many(1'000);
  for (unsigned n = 0; n < 5; ++n) receive(n);
  std::size_t before = 0;
  unsigned turns = 0;
  while (!pipeline_->idle()) {
    pipeline_->flush();
    EXPECT_LE(out_.order.size() - before, ClientFan::kCopiesPerTurn);
    before = out_.order.size();
    ++turns;
  }
  EXPECT_GE(turns, 5'000 / ClientFan::kCopiesPerTurn);
  expect_all_in_order(1'000, 5);
}

TEST_F(UnicastFanTest, small_payloads_are_copied_and_are_the_same) {
  make();
  join_many(100);
  for (unsigned n = 0; n < 5; ++n) receive(n, 0, 100);
  work_until_idle();
  expect_all_in_order(100, 5);
}

TEST_F(UnicastFanTest, copies_are_made_in_the_ports_own_pool_and_shared_payloads_are_not) {
  auto own = PacketPool::make({.name = "own", .packets = 127, .cache = 0});
  ASSERT_TRUE(own) << own.error().text;
  out_.own_pool = own->get();
  make();
  join_many(100);
  out_.keeps = true;
  receive(0, 0, 100);
  work_until_idle();
  receive(1, 0, 1316);
  work_until_idle();
  ASSERT_EQ(out_.kept.size(), 200u);
  for (unsigned n = 0; n < 200; ++n) {
    ASSERT_EQ(out_.kept[n]->pool, n < 100 ? own->get() : heads_->get()) << n;
  }
  EXPECT_EQ(own->in_use(), 100u);
  EXPECT_EQ(pool_->in_use(), 1u);  // the payload that is shared
  receive(2, 0, 100);              // 27 buffers are left
  work_until_idle();
  EXPECT_EQ(out_.kept.size() - 200 + drops(DropReason::CopyFailed), 100u);
  EXPECT_GE(drops(DropReason::CopyFailed), 73u);
  out_.let_go();
  EXPECT_EQ(own->in_use(), 0u);
}

TEST_F(UnicastFanTest, full_backlog_drops_the_newest_packet_for_all) {
  make();
  join_many(1'000);
  constexpr unsigned kMore = 7;
  for (unsigned n = 0; n < FanStream::kMostJobs + kMore; ++n) receive(n);
  EXPECT_EQ(drops(DropReason::Backlog), kMore);
  EXPECT_EQ(snapshot().streams[0].unicasts[0].backlog, kMore);
  work_until_idle();
  expect_all_in_order(1'000, FanStream::kMostJobs);
}

TEST_F(UnicastFanTest, crowd_of_one_stream_costs_another_nothing) {
  make(2);
  join_many(10'000);
  join(20'000, 1);
  for (unsigned n = 0; n < 3'000; ++n) {
    if (n % 100 == 0) receive(n / 100, 0);
    receive(n, 1);
    pipeline_->flush();
  }
  work_until_idle();
  EXPECT_EQ(drops(DropReason::Backlog), 0u);
  EXPECT_EQ(out_.numbers[20'000].size(), 3'000u);
  EXPECT_EQ(snapshot().streams[0].unicasts[0].packets, 300'000u);
}

TEST_F(UnicastFanTest, each_packet_begins_with_another_chunk_of_clients) {
  make();
  join_many(256);
  std::set<std::uint32_t> first;
  for (unsigned n = 0; n < 4; ++n) {
    out_.order.clear();
    receive(n);
    work_until_idle();
    first.insert(out_.order.front() / ClientChunk::kClients);
  }
  EXPECT_EQ(first.size(), 4u);
}

TEST_F(UnicastFanTest, forty_thousand_copies_on_their_way_leak_nothing) {
  make(1, 49'151);
  join_many(40'000);
  out_.keeps = true;
  receive(0);
  work_until_idle();
  EXPECT_EQ(out_.kept.size(), 40'000u);
  ASSERT_NE(out_.kept.front()->next, nullptr);
  EXPECT_EQ(rte_mbuf_refcnt_read(out_.kept.front()->next), 40'000u);
  out_.let_go();
  EXPECT_EQ(pool_->in_use(), 0u);
  expect_all_in_order(40'000, 1);
}

TEST_F(UnicastFanTest, empty_header_pool_costs_counted_copies_and_no_more) {
  make(1, 63);
  const auto places = join_many(1'000);
  out_.keeps = true;
  receive(0);
  work_until_idle();
  const std::uint64_t failed = drops(DropReason::CopyFailed);
  EXPECT_EQ(out_.kept.size() + failed, 1'000u);
  EXPECT_GE(failed, 900u);
  std::uint64_t told = 0;
  for (const ClientPlace& place : places) {
    told += roster_->counters(place).drops[static_cast<std::size_t>(ClientDrop::CopyFailed)];
  }
  EXPECT_EQ(told, failed);
  out_.let_go();
  receive(1);
  work_until_idle();
  EXPECT_GE(out_.kept.size(), 32u);
}

TEST_F(UnicastFanTest, refused_copies_are_their_clients) {
  make();
  const auto places = join_many(200);
  out_.accepts = 150;
  receive(0);
  work_until_idle();
  pipeline_->drain(now_);
  EXPECT_EQ(out_.order.size(), 150u);
  const std::set<std::uint32_t> got(out_.order.begin(), out_.order.end());
  for (unsigned n = 0; n < places.size(); ++n) {
    const ClientCounters counters = roster_->counters(places[n]);
    const auto full = counters.drops[static_cast<std::size_t>(ClientDrop::TxFull)];
    EXPECT_EQ(full, got.contains(n) ? 0u : 1u) << n;
  }
  EXPECT_EQ(drops(DropReason::TxFull), 50u);
}

TEST_F(UnicastFanTest, port_that_takes_nothing_for_a_second_holds_little_and_recovers) {
  constexpr unsigned kClients = 10;
  constexpr unsigned kPackets = 10'000;  // one each 100 us
  make();
  const auto places = join_many(kClients);
  out_.accepts = 0;
  unsigned most = 0;
  for (unsigned n = 0; n < kPackets; ++n) {
    receive(n);
    pipeline_->flush();
    most = std::max(most, pool_->in_use() + heads_->in_use());
  }
  EXPECT_LE(most, 200u);
  EXPECT_EQ(snapshot().ledger.in, kPackets) << "reception went on";
  out_.accepts = UINT64_MAX;
  receive(kPackets);
  work_until_idle();
  pipeline_->drain(now_);
  EXPECT_EQ(out_.order.size() + drops(DropReason::TxFull), kClients * (kPackets + 1));
  for (unsigned n = 0; n < kClients; ++n) {
    const auto& numbers = out_.numbers[n];
    EXPECT_TRUE(std::ranges::is_sorted(numbers)) << n;
    EXPECT_EQ(numbers.back(), kPackets) << n;
    const auto full =
        roster_->counters(places[n]).drops[static_cast<std::size_t>(ClientDrop::TxFull)];
    EXPECT_EQ(numbers.size() + full, kPackets + 1) << n;
  }
}

TEST_F(UnicastFanTest, who_leaves_gets_nothing_of_what_waits_and_others_get_all) {
  make();
  auto places = join_many(1'000);
  for (unsigned n = 0; n < 3; ++n) receive(n);
  const std::size_t so_far = out_.numbers[999].size();
  EXPECT_EQ(so_far, 0u);  // the budget ended before it
  leave(places[999]);
  leave(places[500]);
  join(2'000);
  work_until_idle();
  EXPECT_TRUE(out_.numbers[999].empty());
  EXPECT_TRUE(out_.numbers[500].empty());
  for (unsigned n = 0; n < 999; ++n) {
    EXPECT_EQ(out_.numbers[n].size(), n == 500 ? 0u : 3u) << n;
  }
}

TEST_F(UnicastFanTest, slots_are_given_again_once_the_worker_has_let_them_go) {
  make();
  const ClientPlace first = join(1);
  const ClientPlace second = join(2);
  const Command gone = roster_->leave(first, done_ + 1);
  const auto meanwhile = join(3);  // the worker has not seen it leave
  EXPECT_NE(meanwhile.slot, first.slot);
  carry_out(gone);
  ++done_;
  EXPECT_EQ(join(4).slot, first.slot);
  EXPECT_NE(second.slot, first.slot);
  receive(0);
  work_until_idle();
  EXPECT_TRUE(out_.numbers[1].empty());
  for (const unsigned client : {2u, 3u, 4u}) EXPECT_EQ(out_.numbers[client].size(), 1u) << client;
}

TEST_F(UnicastFanTest, client_without_a_way_among_others_costs_them_no_buffer) {
  make();
  const auto places = join_many(100);
  const ClientRoute nowhere{.to = {IpAddress::v4(0x0a000005), 6000}};
  carry_out(roster_->change(places[5], nowhere));
  for (unsigned n = 0; n < 2; ++n) receive(n, 0, n == 0 ? 1316 : 100);
  work_until_idle();
  EXPECT_EQ(drops(DropReason::NoNeighbour), 2u);
  EXPECT_FALSE(out_.numbers.contains(5));
  expect_all_in_order(99, 2);
  EXPECT_EQ(heads_->in_use(), 0u);
  EXPECT_EQ(pool_->in_use(), 0u);
}

TEST_F(UnicastFanTest, changed_way_is_taken_from_the_next_packet_on) {
  make();
  const ClientPlace place = join(1);
  ClientRoute route{.to = {IpAddress::v4(0x0a000001), 6000}};
  carry_out(roster_->change(place, route));
  receive(0);
  work_until_idle();
  EXPECT_EQ(drops(DropReason::NoNeighbour), 1u);
  route.next_hop = MacAddress{{2, 0, 0, 0, 0, 8}};
  carry_out(roster_->change(place, route));
  out_.keeps = true;
  receive(1);
  work_until_idle();
  ASSERT_EQ(out_.kept.size(), 1u);
  EXPECT_EQ(rte_pktmbuf_mtod(out_.kept[0], const std::uint8_t*)[5], 8);
}

}  // namespace
}  // namespace castgate::test
