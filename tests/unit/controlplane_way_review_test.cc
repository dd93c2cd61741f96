// SPDX-License-Identifier: Apache-2.0
// Routes that change: whose packets go another way, when, and what it costs.
#include <gtest/gtest.h>

#include "tests/support/hop_lab.h"

namespace castgate::test {
namespace {

using namespace std::chrono_literals;

const IpPrefix kNet{ip("192.0.2.0"), 24};

class WayReviewTest : public NextHopsTest {
 protected:
  WayReviewTest() {
    spec_.ports[0].gateway.reset();
    resolver_.routers[ip("192.0.2.1")] = ip("10.9.0.3");
    resolver_.routers[ip("198.51.100.1")] = ip("10.9.0.3");
    resolver_.known[ip("10.9.0.3")] = kMac;
  }
  void change(const std::optional<IpPrefix>& to) { clients_.routes_changed(to, now_); }
  void pass(Nanoseconds time) {
    for (; time > 0ms; time -= 1ms) {
      now_ = now_ + 1ms;
      clients_.review_ways(now_);
      turn();
    }
  }
  // What the workers were told since: by whom each client is reached.
  std::map<Endpoint, std::optional<MacAddress>> told() {
    std::map<Endpoint, std::optional<MacAddress>> all;
    for (const auto& [place, route] : std::exchange(runtime_.changed, {}))
      all[route.to] = route.next_hop;
    return all;
  }

  Instant now_{5'000'000'000};
};

TEST_F(WayReviewTest, packets_go_to_the_new_router_once_its_mac_is_known) {
  join("192.0.2.1:6000");
  join("198.51.100.1:6000");
  pass(1ms);
  told();
  resolver_.asked = 0;
  resolver_.routers[ip("192.0.2.1")] = ip("10.9.0.4");
  change(kNet);
  pass(WayReview::kGather - 1ms);
  EXPECT_EQ(resolver_.asked, 0u);
  pass(1ms);
  EXPECT_EQ(resolver_.asked, 1u) << "the route concerns one client";
  EXPECT_TRUE(resolver_.watched.contains({0, {}, ip("10.9.0.4")}));
  pass(100ms);
  EXPECT_TRUE(told().empty()) << "the router before has its packets until then";
  changed("10.9.0.4", kOther);
  pass(1ms);
  EXPECT_EQ(told(),
            (std::map<Endpoint, std::optional<MacAddress>>{{at("192.0.2.1:6000"), kOther}}));
  changed("10.9.0.3", kOther);
  pass(1ms);
  EXPECT_EQ(told(),
            (std::map<Endpoint, std::optional<MacAddress>>{{at("198.51.100.1:6000"), kOther}}));
}

TEST_F(WayReviewTest, route_that_is_deleted_and_added_at_once_moves_nobody) {
  join("192.0.2.1:6000");
  pass(1ms);
  told();
  resolver_.routers.erase(ip("192.0.2.1"));
  change(kNet);
  pass(20ms);
  resolver_.routers[ip("192.0.2.1")] = ip("10.9.0.3");
  change(kNet);
  pass(300ms);
  EXPECT_TRUE(told().empty());
  EXPECT_EQ(resolver_.watched.size(), 1u);
}

TEST_F(WayReviewTest, client_without_a_route_is_sent_nothing_until_there_is_one) {
  join("192.0.2.9:6000");
  EXPECT_TRUE(resolver_.watched.empty());
  resolver_.routers[ip("192.0.2.9")] = ip("10.9.0.3");
  change(kNet);
  pass(110ms);
  EXPECT_EQ(told().at(at("192.0.2.9:6000")), kMac);
  resolver_.routers.erase(ip("192.0.2.9"));
  change(std::nullopt);
  pass(110ms);
  EXPECT_EQ(told().at(at("192.0.2.9:6000")), std::nullopt);
  EXPECT_TRUE(resolver_.watched.empty());
  ASSERT_TRUE(clients_.leave("news.homes", at("192.0.2.9:6000")));
}

TEST_F(WayReviewTest, router_that_nobody_finds_has_the_packets_no_longer_than_the_grace) {
  join("192.0.2.1:6000");
  pass(1ms);
  told();
  resolver_.routers[ip("192.0.2.1")] = ip("10.9.0.77");
  change(kNet);
  pass(100ms);
  pass(std::chrono::milliseconds(NextHops::kTurnsOfGrace - 2));
  EXPECT_TRUE(told().empty());
  pass(1ms);
  EXPECT_EQ(told().at(at("192.0.2.1:6000")), std::nullopt);
}

TEST_F(WayReviewTest, clients_of_the_run_before_get_their_routers_when_somebody_knows_them) {
  clients_.next_hops().set_resolver(nullptr);
  join("192.0.2.1:6000");
  clients_.next_hops().set_resolver(&resolver_);
  EXPECT_TRUE(resolver_.watched.empty());
  change(std::nullopt);
  pass(110ms);
  EXPECT_EQ(told().at(at("192.0.2.1:6000")), kMac);
}

TEST_F(WayReviewTest, clients_on_the_ports_own_networks_are_asked_nobody_about) {
  join("10.9.0.8:6000");
  resolver_.asked = 0;
  change(std::nullopt);
  pass(200ms);
  EXPECT_EQ(resolver_.asked, 0u);
}

// A routing daemon that starts anew: thousands of routes, and 20 000 clients behind one of them.
TEST_F(WayReviewTest, storm_of_routes_is_gone_through_once_and_a_few_clients_a_turn) {
  constexpr unsigned kClients = 20'000;
  spec_.appliance.max_clients = kClients;
  resolver_.everybody = ip("10.9.0.3");
  for (unsigned n = 0; n < kClients; ++n) {
    const IpAddress address = IpAddress::v4(0xc6120000 + n);
    ASSERT_TRUE(clients_.join({.output = "news.homes", .client = {address, 6000}}, {}));
  }
  pass(1'000ms);
  told();
  resolver_.asked = 0;
  resolver_.everybody = ip("10.9.0.4");
  resolver_.known[ip("10.9.0.4")] = kOther;
  for (unsigned n = 0; n < 5'000; ++n) change(IpPrefix{IpAddress::v4(0x0b000000 + n * 256), 24});
  unsigned turns = 0;
  while (resolver_.asked < kClients && turns < 1'000) {
    const unsigned before = resolver_.asked;
    pass(1ms);
    ++turns;
    ASSERT_LE(resolver_.asked - before, WayReview::kAsksPerTurn);
  }
  EXPECT_LE(turns, 100 + kClients / WayReview::kAsksPerTurn + 1) << "most of a second";
  pass(10ms);
  EXPECT_EQ(resolver_.asked, kClients) << "once each";
  const auto all = told();
  EXPECT_EQ(all.size(), kClients);
  EXPECT_TRUE(std::ranges::all_of(all, [](const auto& one) { return one.second == kOther; }));
  EXPECT_EQ(resolver_.watched, (std::set<Hop>{{0, {}, ip("10.9.0.4")}}));
}

TEST_F(WayReviewTest, what_changes_while_clients_are_gone_through_is_looked_at_after_that) {
  constexpr unsigned kClients = 1'000;
  resolver_.everybody = ip("10.9.0.3");
  for (unsigned n = 0; n < kClients; ++n)
    ASSERT_TRUE(clients_.join(
        {.output = "news.homes", .client = {IpAddress::v4(0xc6120000 + n), 6000}}, {}));
  resolver_.asked = 0;
  change(std::nullopt);
  pass(105ms);
  EXPECT_LT(resolver_.asked, kClients);
  change(IpPrefix{ip("198.18.0.0"), 30});
  pass(200ms);
  EXPECT_EQ(resolver_.asked, kClients + 4);
}

}  // namespace
}  // namespace castgate::test
