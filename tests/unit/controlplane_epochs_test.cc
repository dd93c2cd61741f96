// SPDX-License-Identifier: Apache-2.0
// Which keys may seal, over starts, reloads and a disk that refuses.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "controlplane/keys/epoch_ledger.h"
#include "controlplane/keys/number_ledger.h"
#include "controlplane/keys/ssrc_ledger.h"

namespace castgate {
namespace {

SharedKey key(unsigned seed) {
  return share_key(std::vector<std::byte>(20, static_cast<std::byte>(seed)));
}

class EpochsTest : public ::testing::Test {
 protected:
  EpochsTest()
      : place_(std::filesystem::temp_directory_path() /
               ("castgate-epochs-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(place_);
  }
  void TearDown() override { std::filesystem::remove_all(place_); }

  // A stream with a key file of these keys, from epoch `first` on.
  static Spec spec_of(const std::vector<unsigned>& seeds, std::uint32_t first = 1) {
    Spec spec;
    StreamSpec stream;
    stream.name = "s";
    stream.outputs.resize(1);
    ProtectSpec& protect = stream.outputs[0].protect;
    protect.profile = ProtectProfile::EspTunnel;
    protect.key_file = "keys";
    for (const unsigned seed : seeds) protect.keys.push_back({first++, key(seed), nullptr});
    spec.streams.push_back(stream);
    return spec;
  }
  static ProtectSpec& protect(Spec& spec) { return spec.streams[0].outputs[0].protect; }
  static EpochLease& lease(Spec& spec) { return *protect(spec).epochs; }
  std::string directory() const { return (place_ / "state").string(); }
  std::string remembered() const {
    std::ifstream file(directory() + "/epochs");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // A start on the same disk; the epoch that seals.
  std::uint32_t started(Spec spec) const {
    EpochLedger(directory()).assign(spec, nullptr);
    EXPECT_EQ(lease(spec).allowed(), lease(spec).current());
    return lease(spec).current();
  }
  // As a worker whose key is due, until it gets what it wants.
  static void want(EpochLedger& ledger, EpochLease& lease, std::uint32_t epoch) {
    lease.want(epoch);
    while (lease.allowed() < epoch) {
      ledger.turn();
      std::this_thread::yield();
    }
    lease.begin(epoch);
  }

  std::filesystem::path place_;
};

TEST_F(EpochsTest, a_start_goes_on_with_the_newest_key_that_began) {
  EXPECT_EQ(started(spec_of({1, 2, 3, 4})), 1u);
  EXPECT_EQ(started(spec_of({1, 2, 3, 4})), 1u);
  {
    EpochLedger ledger(directory());
    Spec spec = spec_of({1, 2, 3, 4});
    ledger.assign(spec, nullptr);
    want(ledger, lease(spec), 2);
    want(ledger, lease(spec), 3);
    EXPECT_NE(remembered().find(key_name(*key(3))), std::string::npos);
    EXPECT_EQ(remembered().find(key_name(*key(4))), std::string::npos);
  }
  EXPECT_EQ(started(spec_of({1, 2, 3, 4})), 3u);
  EXPECT_EQ(started(spec_of({3, 4, 5}, 30)), 30u);  // by the key, whatever its number
  EXPECT_EQ(started(spec_of({7, 8})), 1u);          // none of them has begun
}

TEST_F(EpochsTest, a_key_is_on_the_disk_before_it_may_seal) {
  EpochLedger ledger(directory());
  Spec spec = spec_of({1, 2});
  ledger.assign(spec, nullptr);
  for (unsigned i = 0; i < 1'000; ++i) ledger.turn();
  EXPECT_EQ(lease(spec).allowed(), 1u);  // nobody wants it
  lease(spec).want(2);
  while (lease(spec).allowed() < 2) {
    ledger.turn();
    const bool may_seal = lease(spec).allowed() == 2;
    const bool known = remembered().find(key_name(*key(2))) != std::string::npos;
    ASSERT_TRUE(known || !may_seal);
  }
}

TEST_F(EpochsTest, a_reload_goes_on_with_the_key_that_seals) {
  EpochLedger ledger(directory());
  Spec running = spec_of({1, 2});
  ledger.assign(running, nullptr);
  want(ledger, lease(running), 2);
  Spec wanted = spec_of({2, 3}, 2);
  ledger.assign(wanted, &running);
  EXPECT_EQ(lease(wanted).current(), 2u);
  want(ledger, lease(wanted), 3);
  EXPECT_EQ(lease(running).allowed(), 2u);
  // Taken away while it seals: the first that has not begun after the newest that has.
  Spec other = spec_of({8, 9});
  ledger.assign(other, &wanted);
  EXPECT_EQ(lease(other).current(), 1u);
}

TEST_F(EpochsTest, reloads_that_change_no_key_leave_the_worker_what_it_looks_at) {
  EpochLedger epochs(directory());
  NumberLedger numbers(directory());
  Spec first = spec_of({1, 2, 3});
  epochs.assign(first, nullptr);
  numbers.assign(first, nullptr);
  const std::shared_ptr<EpochLease> workers = protect(first).epochs;
  Spec running = first;
  for (unsigned n = 0; n < 3; ++n) {
    Spec wanted = spec_of({1, 2, 3});
    epochs.assign(wanted, &running);
    numbers.assign(wanted, &running);
    EXPECT_EQ(protect(wanted).epochs, workers);
    running = wanted;
  }
  want(epochs, *workers, 2);
  const NumberLease& lease = *protect(first).keys[1].numbers;
  for (unsigned n = 0; n < 10'000 && lease.next() == lease.end(); ++n) {
    numbers.turn();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_LT(lease.next(), lease.end());
}

// The worker went on to the next key while the file was read again.
TEST_F(EpochsTest, a_key_that_began_under_an_older_lease_gets_numbers) {
  EpochLedger epochs(directory());
  NumberLedger numbers(directory());
  Spec running = spec_of({1, 2});
  epochs.assign(running, nullptr);
  numbers.assign(running, nullptr);
  Spec wanted = spec_of({1, 2, 3});
  epochs.assign(wanted, &running);
  numbers.assign(wanted, &running);
  ASSERT_NE(protect(wanted).epochs, protect(running).epochs);
  lease(wanted).begin(2);
  const NumberLease& next = *protect(wanted).keys[1].numbers;
  for (unsigned n = 0; n < 10'000 && next.next() == next.end(); ++n) {
    numbers.turn();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_LT(next.next(), next.end());
}

TEST_F(EpochsTest, numbers_are_a_keys_that_may_seal) {
  EpochLedger epochs(directory());
  NumberLedger numbers(directory());
  Spec spec = spec_of({1, 2, 3});
  epochs.assign(spec, nullptr);
  numbers.assign(spec, nullptr);
  const auto has = [&](std::size_t at) {
    const NumberLease& lease = *protect(spec).keys[at].numbers;
    return lease.next() < lease.end();
  };
  EXPECT_TRUE(has(0));
  EXPECT_FALSE(has(1));
  want(epochs, lease(spec), 2);
  while (!has(1)) numbers.turn();
  EXPECT_FALSE(has(2));
  EXPECT_FALSE(protect(spec).keys[1].numbers->has_strayed());
}

TEST_F(EpochsTest, where_the_disk_refuses_keys_follow_each_other_all_the_same) {
  std::filesystem::create_directories(directory() + "/epochs.new");  // a file is wanted there
  std::filesystem::create_directories(directory() + "/esp.new");
  EpochLedger epochs(directory());
  NumberLedger numbers(directory());
  Spec spec = spec_of({1, 2});
  epochs.assign(spec, nullptr);
  numbers.assign(spec, nullptr);
  want(epochs, lease(spec), 2);
  const NumberLease& own = *protect(spec).keys[1].numbers;
  while (own.next() == own.end()) numbers.turn();
  EXPECT_TRUE(own.has_strayed());  // its IVs are by chance: another start may seal with it again
}

TEST_F(EpochsTest, a_ledger_that_is_damaged_is_not_believed) {
  std::filesystem::create_directories(directory());
  const std::string second = key_name(*key(2));
  std::ofstream(directory() + "/epochs") << second << " 1\n";
  EXPECT_EQ(started(spec_of({1, 2})), 2u);
  for (const std::string& text : {second + " 1\ngarbage\n", second + " 0\n"}) {
    std::ofstream(directory() + "/epochs") << text;
    EXPECT_EQ(started(spec_of({1, 2})), 1u);
    EXPECT_EQ(remembered(), text);  // it stays for people to look at
  }
}

}  // namespace
}  // namespace castgate
