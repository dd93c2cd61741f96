// SPDX-License-Identifier: Apache-2.0
// Leases: how they end, and what makes them longer.
#include <set>
#include <string>
#include <vector>

#include "tests/support/lease_lab.h"

namespace castgate {
namespace {

using std::chrono::seconds;
using test::client;
using test::kLease;
using test::LeasesTest;

TEST_F(LeasesTest, client_goes_when_its_lease_ends_and_not_before) {
  join(1);
  join(2, Nanoseconds{0});
  EXPECT_EQ(expire_after(kLease - Nanoseconds{1}), 0u);
  EXPECT_EQ(expire_after(Nanoseconds{1}), 1u);
  ASSERT_EQ(runtime_.left.size(), 1u);
  EXPECT_EQ(runtime_.left[0].slot, 0u);
  EXPECT_EQ(clients_.size(), 1u);
  EXPECT_EQ(clients_.find("news1", client(1)), nullptr);
  EXPECT_EQ(expire_after(seconds(1'000'000)), 0u);  // without a lease it stays
}

TEST_F(LeasesTest, renewing_begins_the_lease_anew) {
  const ClientEntry* one = join(1);
  for (unsigned i = 0; i < 10; ++i) {
    EXPECT_EQ(expire_after(seconds(59)), 0u);
    clients_.renew(*one, kLease, now_);
    EXPECT_EQ(clients_.left_of(*one, now_), kLease);
  }
  EXPECT_EQ(expire_after(seconds(59)), 0u);
  EXPECT_EQ(expire_after(seconds(1)), 1u);
}

TEST_F(LeasesTest, lease_renewed_in_its_middle_ends_a_whole_one_later) {
  const ClientEntry* one = join(1);
  EXPECT_EQ(expire_after(seconds(30)), 0u);
  clients_.renew(*one, kLease, now_);
  EXPECT_EQ(expire_after(seconds(40)), 0u) << "looked at when the first lease would have ended";
  EXPECT_EQ(expire_after(seconds(20)), 1u);
}

TEST_F(LeasesTest, shorter_lease_ends_at_its_own_time) {
  const ClientEntry* one = join(1);
  clients_.renew(*one, seconds(5), now_);
  EXPECT_EQ(expire_after(seconds(4)), 0u);
  EXPECT_EQ(expire_after(seconds(1)), 1u);
}

TEST_F(LeasesTest, control_thread_that_was_away_for_70_s_expires_nobody) {
  for (unsigned n = 1; n <= 100; ++n) join(n);
  now_ = now_ + seconds(30);
  now_ = now_ + seconds(70);
  clients_.stand_still(seconds(70));
  EXPECT_EQ(clients_.expire(now_), 0u);
  EXPECT_EQ(clients_.left_of(*clients_.find("news1", client(7)), now_), seconds(30));
  EXPECT_EQ(expire_after(seconds(29)), 0u);
  EXPECT_EQ(expire_after(seconds(1)), 100u);
}

TEST_F(LeasesTest, busy_worker_is_asked_again) {
  join(1);
  runtime_.commands_full = true;
  EXPECT_EQ(expire_after(kLease), 0u);
  EXPECT_EQ(clients_.size(), 1u);
  runtime_.commands_full = false;
  EXPECT_EQ(expire_after(std::chrono::milliseconds(11)), 1u);
}

TEST_F(LeasesTest, slot_that_is_taken_again_has_only_its_own_lease) {
  const ClientEntry* one = join(1, seconds(10));
  ASSERT_TRUE(clients_.leave(*one));
  join(2, seconds(60));
  EXPECT_EQ(expire_after(seconds(59)), 0u);
  EXPECT_EQ(expire_after(seconds(1)), 1u);
}

TEST_F(LeasesTest, ids_quotas_and_counts_follow_who_is_there) {
  const ClientId id = join(1)->id;
  spec_.streams.push_back(spec_.streams[0]);
  spec_.streams[1].name = "news2";
  const auto second =
      clients_.join({.output = "news2", .client = client(1), .id = id, .most_of_address = 2}, now_);
  ASSERT_TRUE(second);
  EXPECT_EQ(clients_.find(id).size(), 2u);
  const auto third = clients_.join(
      {.output = "news2", .client = {client(1).address, 6001}, .most_of_address = 2}, now_);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().fault, ClientFault::Quota);
  EXPECT_EQ(clients_.size_of("news1", "homes"), 1u);
  ASSERT_TRUE(clients_.leave(*clients_.find("news1", client(1))));
  EXPECT_EQ(clients_.size_of("news1", "homes"), 0u);
  ASSERT_EQ(clients_.find(id).size(), 1u);
  EXPECT_EQ(clients_.find(id)[0]->name->stream, "news2");
  ASSERT_TRUE(clients_.leave(*clients_.find(id)[0]));
  EXPECT_TRUE(clients_.find(id).empty());
}

TEST_F(LeasesTest, id_finds_all_outputs_that_its_client_still_has) {
  const ClientId id = join(1)->id;
  const std::vector<std::string> names{"news1", "news2", "news3"};
  for (std::size_t s = 1; s < names.size(); ++s) {
    spec_.streams.push_back(spec_.streams[0]);
    spec_.streams[s].name = names[s];
    ASSERT_TRUE(clients_.join({.output = names[s], .client = client(1), .id = id}, now_));
  }
  for (const std::string& gone : {names[1], names[0], names[2], names[1]}) {
    ASSERT_TRUE(clients_.leave(gone, client(1)));
    std::set<std::string> left;
    for (const ClientEntry* client : clients_.find(id)) left.insert(client->name->stream);
    std::set<std::string> expected(names.begin(), names.end());
    expected.erase(gone);
    EXPECT_EQ(left, expected);
    ASSERT_TRUE(clients_.join({.output = gone, .client = client(1), .id = id}, now_));
  }
}

}  // namespace
}  // namespace castgate
