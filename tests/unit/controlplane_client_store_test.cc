// SPDX-License-Identifier: Apache-2.0
// What a restart keeps of the clients and their leases.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>

#include "controlplane/clients/client_store.h"
#include "tests/support/lease_lab.h"

namespace castgate {
namespace {

using std::chrono::seconds;
using test::client;
using test::kLease;

// A state directory, and a host whose clocks the test moves.
class StoreTest : public test::LeasesTest {
 protected:
  StoreTest() : directory_(testing::TempDir() + "store_test_state") {
    std::filesystem::remove_all(directory_);
    clients_.set_runtime(&runtime_);
  }
  ~StoreTest() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  std::vector<StoredClient> open() {
    store_.reset();
    StoreClock clock{boot_, [this] { return time_; }};
    auto opened = ClientStore::open(directory_, clock);
    EXPECT_TRUE(opened) << opened.error().text;
    if (!opened) return {};
    store_ = *std::move(opened);
    clients_.set_keeper(store_.get());
    return store_->take_stored();
  }
  void pass(Nanoseconds span) {
    now_ = now_ + span;
    time_.since_boot_ns += span.count();
    time_.since_1970_ns += span.count();
  }
  void crash() {  // what was handed over is on disk, what was not is gone
    ASSERT_FALSE(store_->turn());
    store_.reset();
  }

  std::string directory_;
  std::string boot_ = "one";
  StoreTime time_{1'000'000'000'000, 1'700'000'000'000'000'000};
  std::unique_ptr<ClientStore> store_;
};

TEST_F(StoreTest, thousand_leases_come_back_with_what_is_left_of_them) {
  EXPECT_TRUE(open().empty());
  for (unsigned n = 1; n <= 1'000; ++n) join(n);
  const ClientId id = clients_.find("news1", client(1'000))->id;
  crash();
  pass(seconds(20));
  const auto stored = open();
  ASSERT_EQ(stored.size(), 1'000u);
  const auto& last = stored.back();
  EXPECT_EQ(last.order.client, client(1'000));
  EXPECT_EQ(last.order.id, id);
  EXPECT_EQ(last.order.output, "news1.homes");
  EXPECT_EQ(last.order.door, "rest");
  EXPECT_EQ(last.order.lease, kLease);
  for (const StoredClient& one : stored) EXPECT_EQ(one.left, seconds(40));
}

TEST_F(StoreTest, what_ended_while_nobody_ran_is_gone_for_good) {
  open();
  join(1);
  join(2, Nanoseconds{0});
  crash();
  pass(kLease);
  auto stored = open();
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0].order.client, client(2));
  crash();
  time_.since_boot_ns -= Nanoseconds(kLease).count();  // even if time were to run backwards
  EXPECT_EQ(open().size(), 1u);
}

TEST_F(StoreTest, ntp_step_changes_nothing_but_another_boot_counts_by_the_wall_clock) {
  open();
  join(1);
  crash();
  time_.since_1970_ns += Nanoseconds(std::chrono::hours(1)).count();
  pass(seconds(10));
  auto stored = open();
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0].left, seconds(50));
  store_.reset();
  time_.since_1970_ns -= Nanoseconds(std::chrono::hours(1)).count();
  boot_ = "two";
  time_.since_boot_ns = 7;
  stored = open();
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0].left, seconds(50));
  store_.reset();
  time_.since_1970_ns -= Nanoseconds(std::chrono::hours(1)).count();
  EXPECT_EQ(open()[0].left, kLease);  // never more than a whole lease
}

TEST_F(StoreTest, renewals_leaves_and_pauses_are_kept) {
  open();
  for (unsigned n = 1; n <= 4; ++n) join(n);
  ASSERT_FALSE(store_->turn());
  store_->finish();
  pass(seconds(30));
  clients_.renew(*clients_.find("news1", client(1)), kLease, now_);
  ASSERT_TRUE(clients_.leave(*clients_.find("news1", client(2))));
  pass(seconds(20));
  clients_.stand_still(seconds(20));
  crash();
  const auto stored = open();
  ASSERT_EQ(stored.size(), 3u);
  EXPECT_EQ(stored[0].left, seconds(60));  // 40, and the pause
  EXPECT_EQ(stored[1].order.client, client(3));
  EXPECT_EQ(stored[1].left, seconds(30));
}

TEST_F(StoreTest, second_castgate_is_told_whose_directory_it_is) {
  open();
  const auto second = ClientStore::open(directory_, {boot_, [this] { return time_; }});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().text.find("another castgate uses it; give each its own "
                                     "appliance.state_dir"),
            std::string::npos)
      << second.error().text;
}

TEST_F(StoreTest, file_cut_at_any_place_opens_or_says_why) {
  open();
  for (unsigned n = 1; n <= 50; ++n) join(n);
  crash();
  const std::string path = directory_ + "/clients.db";
  const auto whole = std::filesystem::file_size(path);
  ASSERT_GT(whole, 4'096u);
  unsigned refused = 0;
  for (std::uintmax_t length = whole; length > 0; length -= std::min<std::uintmax_t>(length, 509)) {
    std::filesystem::resize_file(path, length);
    auto opened = ClientStore::open(directory_, {boot_, [this] { return time_; }});
    if (!opened) {
      ++refused;
      EXPECT_NE(opened.error().text.find("clients.db"), std::string::npos);
    } else {
      EXPECT_LE((*opened)->take_stored().size(), 50u);
    }
  }
  EXPECT_GT(refused, 0u);
}

TEST_F(StoreTest, fault_stands_until_it_can_be_written_and_nothing_is_lost_by_it) {
  open();
  struct rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit tiny{1'024, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tiny), 0);
  for (unsigned n = 1; n <= 100; ++n) join(n);
  store_->finish();
  const auto fault = store_->turn();
  EXPECT_TRUE(fault && fault->find("clients.db") != std::string::npos);
  join(101);
  for (unsigned turn = 0; turn < 5; ++turn) EXPECT_TRUE(store_->turn());
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  pass(seconds(1));
  store_->finish();
  EXPECT_FALSE(store_->turn());
  store_.reset();
  EXPECT_EQ(open().size(), 101u);
}

TEST_F(StoreTest, directory_that_cannot_be_is_named_with_the_cure) {
  const auto opened = ClientStore::open("/proc/castgate", {boot_, [this] { return time_; }});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text.find("appliance.state_dir"), std::string::npos);
}

TEST_F(StoreTest, others_cannot_read_ids) {
  open();
  join(1);
  crash();
  const auto rights = std::filesystem::status(directory_ + "/clients.db").permissions();
  EXPECT_EQ(rights & (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
            std::filesystem::perms::none);
}

}  // namespace
}  // namespace castgate
