// SPDX-License-Identifier: Apache-2.0
// Clients of an output over a reload: who stays loses nothing.
#include "dataplane/contract/client_carry.h"
#include "tests/support/fan_lab.h"
#include "tests/support/one_key.h"
#include "tests/support/srtp_opener.h"

namespace castgate::test {
namespace {

class UnicastReloadTest : public FanLab {
 protected:
  static UnicastSpec& output(Spec& spec) { return spec.streams[0].unicasts[0]; }

  // The worker goes over to `after`.
  void reload(const Spec& after) {
    ClientRoster roster(after, ports_, &*roster_);
    const auto kit =
        make_kit({.before = spec_, .after = after, .ports = ports_, .clients = &roster}, 0);
    pipeline_->install(*kit, now_);
    roster_.emplace(std::move(roster));
    spec_ = after;
  }
};

TEST_F(UnicastReloadTest, packets_that_wait_outlive_a_reload_that_keeps_the_clients) {
  make();
  join_many(1'000);
  for (unsigned n = 0; n < 5; ++n) receive(n);
  const std::size_t before = out_.order.size();
  Spec after = spec_;
  after.streams[0].legs[0].to.udp_port = 5'001;  // the default source port of who joins later
  after.streams[0].failover.max_skew = std::chrono::milliseconds(7);
  const auto clients = roster_->clients_of(0);
  reload(after);
  ASSERT_EQ(roster_->clients_of(0), clients);
  EXPECT_EQ(out_.order.size(), before);  // the worker made none of the 5000 copies meanwhile
  work_until_idle();
  expect_all_in_order(1'000, 5);
}

TEST_F(UnicastReloadTest, other_headers_end_what_waits) {
  make();
  join_many(1'000);
  for (unsigned n = 0; n < 5; ++n) receive(n);
  Spec after = spec_;
  output(after).ttl = 9;
  const auto clients = roster_->clients_of(0);
  reload(after);
  ASSERT_NE(roster_->clients_of(0), clients);
  pipeline_->flush();
  expect_all_in_order(1'000, 5);
  receive(5);
  EXPECT_EQ(drops(DropReason::NoClient), 1u);
}

TEST_F(UnicastReloadTest, what_the_port_has_not_taken_of_clients_before_harms_nobody) {
  make();
  join_many(100);
  out_.accepts = 0;
  for (unsigned n = 0; n < 2; ++n) receive(n);
  Spec after = spec_;
  output(after).ttl = 9;
  reload(after);
  for (unsigned n = 0; n < 5; ++n) pipeline_->flush();  // refused a last time
  EXPECT_TRUE(out_.order.empty());
  EXPECT_GT(drops(DropReason::TxFull), 0u);
}

TEST_F(UnicastReloadTest, more_places_cost_those_that_are_there_nothing) {
  change_ = [](UnicastSpec& unicast) { unicast.max_clients = 60; };
  make();
  join_many(60);
  for (unsigned n = 0; n < 5; ++n) receive(n);
  Spec after = spec_;
  output(after).max_clients = 1'000;
  reload(after);
  for (unsigned n = 60; n < 1'000; ++n) join(n);
  work_until_idle();
  for (unsigned n = 5; n < 9; ++n) receive(n);
  work_until_idle();
  for (unsigned n = 0; n < 60; ++n) EXPECT_EQ(out_.numbers[n].size(), 9u) << n;
  for (unsigned n = 60; n < 1'000; ++n) ASSERT_GE(out_.numbers[n].size(), 4u) << n;
}

TEST_F(UnicastReloadTest, fewer_places_throw_nobody_out_and_let_nobody_in) {
  make();
  auto places = join_many(100);
  Spec after = spec_;
  output(after).max_clients = 10;
  reload(after);
  receive(0);
  work_until_idle();
  expect_all_in_order(100, 1);
  const ClientRoute route{.to = {IpAddress::v4(0x0a001000), 6000}};
  EXPECT_FALSE(roster_->join(route, nullptr, 0, done_));
  for (unsigned n = 0; n < 90; ++n) leave(places[n]);
  EXPECT_FALSE(roster_->join(route, nullptr, 0, done_));
  leave(places[90]);
  EXPECT_LT(join(0x1000).slot, 91u);
}

TEST_F(UnicastReloadTest, how_packets_are_copied_and_how_many_may_come_are_the_new_ones) {
  change_ = [](UnicastSpec& unicast) { unicast.max_rate_bps = 1'000'000'000; };
  make();
  join_many(100);
  for (unsigned n = 0; n < 3; ++n) receive(n);
  Spec after = spec_;
  output(after).copy_threshold = 2'000;
  output(after).max_rate_bps = 1'000;
  reload(after);
  work_until_idle();
  expect_all_in_order(100, 3);
  out_.keeps = true;
  for (unsigned n = 3; n < 10; ++n) receive(n);
  work_until_idle();
  EXPECT_GT(drops(DropReason::Quota), 0u);
  ASSERT_FALSE(out_.kept.empty());
  for (const rte_mbuf* packet : out_.kept) ASSERT_EQ(packet->nb_segs, 1u);
}

TEST(ClientCarryTest, keys_of_all_are_none_of_a_clients_and_its_own_are) {
  UnicastSpec before;
  before.protect.profile = ProtectProfile::SrtpGcm;
  before.protect.keys = one_key(key_of(28, 1));
  UnicastSpec after = before;
  after.protect.keys.push_back({.epoch = 2, .key = key_of(28, 2), .numbers = nullptr});
  after.protect.rekey_packets = 7;
  EXPECT_TRUE(keeps_clients(before, after));
  before.protect.isolation = after.protect.isolation = Isolation::PerClient;
  EXPECT_FALSE(keeps_clients(before, after));
  after = before;
  EXPECT_TRUE(keeps_clients(before, after));
}

TEST(ClientCarryTest, what_makes_other_packets_or_has_a_limit_for_the_first_time_does_not) {
  const UnicastSpec before;
  const auto other = [&](auto&& change) {
    UnicastSpec after = before;
    change(after);
    return keeps_clients(before, after);
  };
  EXPECT_FALSE(other([](UnicastSpec& to) { to.ttl = 9; }));
  EXPECT_FALSE(other([](UnicastSpec& to) { to.dscp = 34; }));
  EXPECT_FALSE(other([](UnicastSpec& to) { to.source_port = 7; }));
  EXPECT_FALSE(other([](UnicastSpec& to) { to.port = 1; }));
  EXPECT_FALSE(other([](UnicastSpec& to) { to.name = "far"; }));
  EXPECT_FALSE(other([](UnicastSpec& to) { to.max_rate_bps = 1'000; }));
  EXPECT_FALSE(other([](UnicastSpec& to) { to.protect.profile = ProtectProfile::SrtpGcm; }));
  EXPECT_TRUE(other([](UnicastSpec& to) { to.too_big = TooBig::Fragment; }));
}

}  // namespace
}  // namespace castgate::test
