// SPDX-License-Identifier: Apache-2.0
// What hosts and routers say of clients' packets: who is believed, and who goes.
#include "tests/support/path_lab.h"

namespace castgate::test {
namespace {

TEST_F(PathErrorsTest, three_packets_to_where_nobody_listens_are_the_clients_last) {
  for (const char* address : {"10.9.0.7:6000", "[2001:db8:9::7]:6000"}) {
    join(address);
    join("10.9.0.8:6000");
    Told told{.client = address};
    if (!at(address).address.is_v4()) {
      told.source = "[2001:db8:9::1]:5000";
      told.type = 1;
      told.code = 4;
    }
    const auto before = counted().clients_removed;
    for (const unsigned checksum : {0x1111u, 0x2222u, 0x3333u}) {
      EXPECT_NE(client(address), nullptr);
      told.checksum = checksum;
      EXPECT_TRUE(tell(told));
    }
    EXPECT_EQ(client(address), nullptr);
    EXPECT_NE(client("10.9.0.8:6000"), nullptr);
    EXPECT_EQ(counted().clients_removed, before + 1);
    EXPECT_EQ(
        errors_.take_lines(),
        std::vector<std::string>{std::string(address) +
                                 " of news1.homes: gone, nobody listens there (unreachable)"});
  }
  EXPECT_EQ(counted().port_unreachable, 6u);
  EXPECT_EQ(counted().forged, 0u);
}

TEST_F(PathErrorsTest, who_was_removed_is_told_once_for_the_event_log) {
  join();
  const ClientId id = client()->id;
  for (const unsigned checksum : {0x1111u, 0x2222u}) tell({.checksum = checksum});
  EXPECT_TRUE(errors_.take_gone().empty());
  tell({.checksum = 0x3333});
  const auto gone = errors_.take_gone();
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].name, (OutputName{"news1", "homes"}));
  EXPECT_EQ(gone[0].address, at("10.9.0.7:6000"));
  EXPECT_EQ(gone[0].id, id);
  EXPECT_EQ(gone[0].door, "control");
  EXPECT_EQ(gone[0].reason, "unreachable");
  EXPECT_EQ(gone[0].at, now_);
  EXPECT_TRUE(errors_.take_gone().empty());
}

TEST_F(PathErrorsTest, packet_that_was_never_sent_neither_removes_nor_hinders) {
  join();
  EXPECT_TRUE(tell({.checksum = 0x1111}));
  for (unsigned n = 0; n < 10; ++n) EXPECT_TRUE(tell({.checksum = 0xbad0 + n}));
  EXPECT_TRUE(tell({.checksum = 0x2222}));
  EXPECT_NE(client(), nullptr);
  EXPECT_EQ(counted().forged, 10u);
  EXPECT_EQ(counted().port_unreachable, 2u);
  EXPECT_TRUE(tell({.checksum = 0x3333}));
  EXPECT_EQ(client(), nullptr);
}

TEST_F(PathErrorsTest, one_packet_quoted_three_times_counts_once) {
  join();
  for (unsigned n = 0; n < 5; ++n) EXPECT_TRUE(tell({.checksum = 0x1111}));
  EXPECT_NE(client(), nullptr);
  EXPECT_EQ(counted().port_unreachable, 5u);
}

TEST_F(PathErrorsTest, three_that_are_far_apart_do_not_add_up) {
  join();
  for (const unsigned checksum : {0x1111u, 0x2222u}) tell({.checksum = checksum});
  pass(PathErrors::kWithin + 1ms);
  for (const unsigned checksum : {0x3333u, 0x4444u}) tell({.checksum = checksum});
  EXPECT_NE(client(), nullptr);
  tell({.checksum = 0x1111});
  EXPECT_EQ(client(), nullptr);
}

TEST_F(PathErrorsTest, short_quotes_are_doubted_for_two_seconds_after_a_forged_one) {
  join();
  tell({.checksum = 0xbad0, .quoted = 8});
  for (const unsigned checksum : {0x1111u, 0x2222u, 0x3333u})
    tell({.checksum = checksum, .quoted = 8});
  EXPECT_NE(client(), nullptr);
  EXPECT_EQ(counted().doubtful, 3u);
  EXPECT_EQ(counted().port_unreachable, 0u);
  pass(PathErrors::kDoubt);
  for (const unsigned checksum : {0x1111u, 0x2222u, 0x3333u})
    tell({.checksum = checksum, .quoted = 8});
  EXPECT_EQ(client(), nullptr);
}

TEST_F(PathErrorsTest, errors_about_nobodys_packets_are_the_host_stacks) {
  join();
  EXPECT_FALSE(tell({.client = "10.9.0.7:6001"})) << "another port";
  EXPECT_FALSE(tell({.client = "10.9.0.9:6000"})) << "another host";
  EXPECT_FALSE(tell({.source = "10.9.0.1:5001"})) << "not from where its packets come";
  EXPECT_FALSE(tell({.source = "10.9.0.2:5000"}));
  EXPECT_FALSE(tell({.quoted = 7})) << "no whole UDP header";
  EXPECT_FALSE(tell({.type = 11, .code = 0})) << "time exceeded";
  EXPECT_FALSE(errors_.take({}, runtime_, now_));
  EXPECT_TRUE(tell({.tags = {{0x8100, 43}}}));
  EXPECT_EQ(counted().port_unreachable, 1u);
}

TEST_F(PathErrorsTest, client_of_two_outputs_loses_the_one_that_is_quoted) {
  join();
  join("10.9.0.7:6000", "news1.far");
  for (const unsigned checksum : {0x1111u, 0x2222u, 0x3333u})
    EXPECT_TRUE(tell({.source = "10.9.0.1:7000", .checksum = checksum}));
  EXPECT_NE(client(), nullptr);
  EXPECT_EQ(clients_.find("news1.far", at("10.9.0.7:6000")), nullptr);
}

TEST_F(PathErrorsTest, host_that_cannot_be_reached_for_the_moment_stays_a_client) {
  join();
  for (const unsigned code : {0u, 1u, 2u, 13u})
    for (const unsigned checksum : {0x1111u, 0x2222u, 0x3333u})
      EXPECT_TRUE(tell({.code = code, .checksum = checksum}));
  EXPECT_NE(client(), nullptr);
  EXPECT_EQ(counted().other_unreachable, 12u);
}

TEST_F(PathErrorsTest, flood_is_looked_at_a_few_a_turn) {
  join();
  now_ = now_ + 1ms;
  errors_.turn(now_);
  const auto frame = Told{.checksum = 0xbad0}.frame();
  for (unsigned n = 0; n < 100; ++n) EXPECT_TRUE(errors_.take(frame, runtime_, now_));
  EXPECT_EQ(counted().forged, PathErrors::kErrorsPerTurn);
  EXPECT_EQ(counted().limited, 100u - PathErrors::kErrorsPerTurn);
}

TEST_F(PathErrorsTest, client_whose_worker_is_busy_goes_as_soon_as_it_is_not) {
  join();
  runtime_.commands_full = true;
  for (const unsigned checksum : {0x1111u, 0x2222u, 0x3333u}) tell({.checksum = checksum});
  pass(1ms);
  EXPECT_NE(client(), nullptr);
  EXPECT_TRUE(errors_.take_gone().empty());
  runtime_.commands_full = false;
  pass(1ms);
  EXPECT_EQ(errors_.take_gone().size(), 1u);
  EXPECT_EQ(client(), nullptr);
  EXPECT_EQ(counted().clients_removed, 1u);
}

TEST_F(PathErrorsTest, who_comes_again_begins_anew) {
  join();
  for (const unsigned checksum : {0x1111u, 0x2222u}) tell({.checksum = checksum});
  ASSERT_TRUE(clients_.leave("news1.homes", at("10.9.0.7:6000")));
  join();
  tell({.checksum = 0x3333});
  EXPECT_NE(client(), nullptr);
}

TEST_F(PathErrorsTest, log_has_a_few_lines_a_second) {
  for (unsigned n = 0; n < 30; ++n) {
    const std::string address = "10.9.0.8:" + std::to_string(7000 + n);
    join(address.c_str());
    for (const unsigned checksum : {0x1111u, 0x2222u, 0x3333u})
      tell({.client = address, .checksum = checksum});
  }
  EXPECT_EQ(errors_.take_lines().size(), PathErrors::kLinesPerSecond);
  EXPECT_EQ(errors_.take_gone().size(), 30u) << "the event log has all";
  pass(1s);
  EXPECT_EQ(errors_.take_lines(), std::vector<std::string>{"the same of 20 more clients"});
}

}  // namespace
}  // namespace castgate::test
