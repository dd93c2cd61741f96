// SPDX-License-Identifier: Apache-2.0
// Next hops of clients as they become known and change, and which streams anybody wants.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "tests/support/hop_lab.h"

namespace castgate::test {
namespace {

using namespace std::chrono_literals;

TEST_F(NextHopsTest, hop_that_is_asked_for_is_watched_until_nobody_asks_any_more) {
  NextHops& hops = clients_.next_hops();
  const auto route = clients_.way_to("news.homes", at("10.9.0.8:6000"));
  ASSERT_TRUE(route);
  EXPECT_FALSE(hops.ask(*route));
  EXPECT_EQ(resolver_.watched.size(), 1u);
  changed("10.9.0.8", kMac);
  EXPECT_EQ(hops.ask(*route), kMac);
  hops.forget_asked();
  join("10.9.0.8:6000");
  ASSERT_TRUE(clients_.leave("news.homes", at("10.9.0.8:6000")));
  EXPECT_EQ(resolver_.watched.size(), 1u) << "it may come again";
  hops.forget_asked();
  EXPECT_TRUE(resolver_.watched.empty());
  hops.ask(*route);
  join("10.9.0.8:6000");
  hops.forget_asked();
  hops.forget_asked();
  EXPECT_EQ(resolver_.watched.size(), 1u) << "a client is there";
}

TEST_F(NextHopsTest, client_gets_its_mac_when_it_is_resolved) {
  join("10.9.0.8:6000");
  EXPECT_FALSE(runtime_.joined[0].next_hop);
  turn();
  EXPECT_TRUE(runtime_.changed.empty());
  changed("10.9.0.8", kMac);
  EXPECT_TRUE(runtime_.changed.empty()) << "in the next turn";
  turn();
  ASSERT_EQ(runtime_.changed.size(), 1u);
  EXPECT_EQ(runtime_.changed[0].first, (ClientPlace{0, 0, 0}));
  EXPECT_EQ(runtime_.changed[0].second.next_hop, kMac);
  EXPECT_EQ(runtime_.changed[0].second.to, at("10.9.0.8:6000"));
  join("10.9.0.8:6001");
  EXPECT_EQ(runtime_.joined[1].next_hop, kMac) << "known from here on";
  changed("10.9.0.8", std::nullopt);
  turn();
  ASSERT_EQ(runtime_.changed.size(), 3u);
  EXPECT_FALSE(runtime_.changed[1].second.next_hop || runtime_.changed[2].second.next_hop);
}

TEST_F(NextHopsTest, clients_behind_one_router_leave_in_any_order) {
  const std::vector<std::string> all{"192.0.2.1:6000", "192.0.2.2:6000", "192.0.2.3:6000",
                                     "192.0.2.4:6000"};
  resolver_.known[ip("10.9.255.254")] = kMac;
  std::vector<std::size_t> order{0, 1, 2, 3};
  do {
    for (const std::string& client : all) join(client);
    turn();
    ASSERT_TRUE(clients_.leave("news.homes", at(all[order[0]])));
    ASSERT_TRUE(clients_.leave("news.homes", at(all[order[1]])));
    runtime_.changed.clear();
    changed("10.9.255.254", kOther);
    turn();
    std::set<Endpoint> told;
    for (const auto& [place, route] : runtime_.changed) told.insert(route.to);
    EXPECT_EQ(told, (std::set<Endpoint>{at(all[order[2]]), at(all[order[3]])}));
    ASSERT_TRUE(clients_.leave("news.homes", at(all[order[2]])));
    ASSERT_TRUE(clients_.leave("news.homes", at(all[order[3]])));
  } while (std::ranges::next_permutation(order).found);
}

TEST_F(NextHopsTest, what_the_kernel_knows_is_told_with_the_next_turn) {
  resolver_.known[ip("10.9.0.8")] = kMac;
  join("10.9.0.8:6000");
  turn();
  ASSERT_EQ(runtime_.changed.size(), 1u);
  EXPECT_EQ(runtime_.changed[0].second.next_hop, kMac);
}

TEST_F(NextHopsTest, what_the_file_says_wins) {
  join("10.9.0.7:6000");
  EXPECT_TRUE(resolver_.watched.empty());
  EXPECT_EQ(runtime_.joined[0].next_hop->bytes[5], 7);
  changed("10.9.0.7", kOther);
  turn();
  EXPECT_TRUE(runtime_.changed.empty());
}

TEST_F(NextHopsTest, clients_beyond_are_reached_by_the_gateway_or_a_route) {
  join("192.0.2.1:6000");
  EXPECT_TRUE(resolver_.watched.contains({0, {}, ip("10.9.255.254")}));
  spec_.ports[0].gateway.reset();
  join("203.0.113.1:6000");
  EXPECT_TRUE(resolver_.watched.contains({0, {}, ip("10.9.0.3")}));
  join("192.0.2.2:6000");
  EXPECT_EQ(resolver_.watched.size(), 2u);
  const ClientRoute nowhere = runtime_.joined.back();
  EXPECT_EQ(clients_.next_hops().why_never(nowhere),
            "192.0.2.2 is in no network of port out: see addresses and gateway");
  EXPECT_FALSE(clients_.next_hops().why_never(runtime_.joined[1]));
  clients_.next_hops().set_resolver(nullptr);
  ClientRoute near = nowhere;
  near.to = at("10.9.0.8:6000");
  EXPECT_EQ(clients_.next_hops().why_never(near),
            "nobody can be asked for the MAC address of 10.9.0.8 on port out (untagged): see "
            "neighbours, or addresses");
}

TEST_F(NextHopsTest, gateway_of_ten_thousand_clients_is_told_in_portions) {
  resolver_.known[ip("10.9.255.254")] = kMac;
  for (unsigned i = 0; i < 10'000; ++i) join("192.0.2.1:" + std::to_string(i + 1));
  EXPECT_EQ(resolver_.watched.size(), 1u);
  while (runtime_.changed.size() < 10'000) {
    const std::size_t before = runtime_.changed.size();
    turn();
    ASSERT_LE(runtime_.changed.size() - before, NextHops::kChangesPerTurn);
    ASSERT_GT(runtime_.changed.size(), before);
  }
  runtime_.changed.clear();
  turn();
  EXPECT_TRUE(runtime_.changed.empty()) << "each once";
  changed("10.9.255.254", kOther);
  for (unsigned i = 0; i < 100; ++i) turn();
  // Meanwhile some leave, some of those told, some of those not.
  for (unsigned i = 0; i < 10'000; i += 2)
    ASSERT_TRUE(clients_.leave("news.homes", at("192.0.2.1:" + std::to_string(i + 1))));
  for (unsigned i = 0; i < 200; ++i) turn();
  std::map<std::uint32_t, unsigned> told;
  for (const auto& [place, route] : runtime_.changed) {
    EXPECT_EQ(route.next_hop, kOther);
    EXPECT_EQ(route.to.udp_port, place.slot + 1) << "his own way, nobody else's";
    ++told[place.slot];
  }
  for (unsigned slot = 1; slot < 10'000; slot += 2) ASSERT_EQ(told[slot], 1u) << slot;
}

TEST_F(NextHopsTest, busy_worker_is_told_later) {
  join("10.9.0.8:6000");
  changed("10.9.0.8", kMac);
  runtime_.commands_full = true;
  turn();
  EXPECT_TRUE(runtime_.changed.empty());
  runtime_.commands_full = false;
  turn();
  EXPECT_EQ(runtime_.changed.size(), 1u);
  turn();
  EXPECT_EQ(runtime_.changed.size(), 1u);
}

TEST_F(NextHopsTest, hop_nobody_is_behind_is_watched_no_more) {
  join("10.9.0.8:6000");
  join("10.9.0.8:6001");
  changed("10.9.0.8", kMac);
  ASSERT_TRUE(clients_.leave("news.homes", at("10.9.0.8:6000")));
  EXPECT_EQ(resolver_.watched.size(), 1u);
  ASSERT_TRUE(clients_.leave("news.homes", at("10.9.0.8:6001")));
  EXPECT_TRUE(resolver_.watched.empty());
  turn();
  EXPECT_TRUE(runtime_.changed.empty());
  changed("10.9.0.8", kOther);
  turn();
  EXPECT_TRUE(runtime_.changed.empty());
}

TEST_F(NextHopsTest, look_at_leases_tells_workers_nothing) {
  join("10.9.0.8:6000");
  changed("10.9.0.8", kMac);
  turn();
  EXPECT_EQ(clients_.expire({}), 0u);
  turn();
  EXPECT_EQ(runtime_.changed.size(), 1u);
}

TEST_F(NextHopsTest, reload_that_moves_outputs_keeps_hops) {
  join("10.9.0.8:6000");
  join("10.9.0.9:6000", "news.far");
  changed("10.9.0.9", kMac);
  turn();
  const Spec before = spec_;
  spec_.streams[0].unicasts.erase(spec_.streams[0].unicasts.begin());
  EXPECT_EQ(clients_.follow(before), 1u);
  EXPECT_EQ(resolver_.watched, (std::set<Hop>{{0, {}, ip("10.9.0.9")}}));
  runtime_.changed.clear();
  changed("10.9.0.9", kOther);
  turn();
  ASSERT_EQ(runtime_.changed.size(), 1u);
  EXPECT_EQ(runtime_.changed[0].first, (ClientPlace{0, 0, 1}));
  EXPECT_EQ(runtime_.changed[0].second.unicast, 0u);
  EXPECT_EQ(runtime_.changed[0].second.next_hop, kOther);
}

class DemandTest : public NextHopsTest {
 protected:
  DemandTest() {
    spec_.streams[0].join = UpstreamJoin::OnDemand;
    spec_.streams[0].linger = 2s;
    spec_.streams.push_back({.name = "always"});
    EXPECT_TRUE(demand_.turn(now_));
  }
  bool turn_after(Nanoseconds span) {
    now_ = now_ + span;
    return demand_.turn(now_);
  }
  Instant now_{5'000'000'000};
  Demand& demand_ = clients_.demand();
};

TEST_F(DemandTest, stream_is_wanted_while_clients_are_there_and_a_while_longer) {
  EXPECT_TRUE(demand_.wanted(1));
  EXPECT_FALSE(demand_.wanted(0));
  join("10.9.0.8:6000");
  EXPECT_TRUE(turn_after(1ms));
  EXPECT_TRUE(demand_.wanted(0));
  EXPECT_FALSE(turn_after(60s));
  ASSERT_TRUE(clients_.leave("news.homes", at("10.9.0.8:6000")));
  EXPECT_FALSE(turn_after(1ms));
  EXPECT_FALSE(turn_after(1999ms));
  EXPECT_TRUE(demand_.wanted(0));
  EXPECT_TRUE(turn_after(1ms));
  EXPECT_FALSE(demand_.wanted(0));
  EXPECT_FALSE(turn_after(60s));
}

TEST_F(DemandTest, client_that_returns_in_time_keeps_the_stream) {
  join("10.9.0.8:6000");
  turn_after(1ms);
  ASSERT_TRUE(clients_.leave("news.homes", at("10.9.0.8:6000")));
  turn_after(1s);
  join("10.9.0.9:6000", "news.far");
  EXPECT_FALSE(turn_after(1900ms));
  EXPECT_FALSE(turn_after(60s));
  ASSERT_TRUE(clients_.leave("news.far", at("10.9.0.9:6000")));
  EXPECT_FALSE(turn_after(1ms));
  EXPECT_FALSE(turn_after(1900ms)) << "the whole linger again";
  EXPECT_TRUE(demand_.wanted(0));
}

TEST_F(DemandTest, reload_keeps_who_is_there_and_lingers_where_nobody_is) {
  join("10.9.0.8:6000");
  turn_after(1ms);
  Spec before = spec_;
  spec_.streams[1] = spec_.streams[0];  // on demand from here on, without clients
  spec_.streams[1].name = "always";
  EXPECT_EQ(clients_.follow(before), 0u);
  EXPECT_FALSE(turn_after(1ms));
  EXPECT_TRUE(demand_.wanted(0) && demand_.wanted(1));
  EXPECT_TRUE(turn_after(2s));
  EXPECT_TRUE(demand_.wanted(0));
  EXPECT_FALSE(demand_.wanted(1));
  before = spec_;
  spec_.streams[0].unicasts.clear();
  spec_.streams[0].join = UpstreamJoin::Always;
  EXPECT_EQ(clients_.follow(before), 1u);
  EXPECT_TRUE(demand_.wanted(0));
}

}  // namespace
}  // namespace castgate::test
