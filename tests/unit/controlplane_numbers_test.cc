// SPDX-License-Identifier: Apache-2.0
// ESP's sequence numbers over starts, reloads, crashes and a disk that refuses.
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "controlplane/keys/number_ledger.h"
#include "controlplane/keys/ssrc_ledger.h"
#include "tests/support/hex.h"
#include "tests/support/one_key.h"

namespace castgate {
namespace {

constexpr auto kBlock = NumberLedger::kBlock;

class NumbersTest : public ::testing::Test {
 protected:
  NumbersTest() {
    place_ =
        std::filesystem::temp_directory_path() / ("castgate-numbers-" + std::to_string(::getpid()));
    std::filesystem::create_directories(place_);
    spec_.appliance.state_dir = (place_ / "state").string();
    StreamSpec stream;
    stream.name = "s";
    stream.outputs.resize(1);
    ProtectSpec& protect = stream.outputs[0].protect;
    protect.profile = ProtectProfile::EspTunnel;
    protect.keys = test::one_key(share_key(from_hex(kKey)));
    spec_.streams.push_back(stream);
  }
  void TearDown() override { std::filesystem::remove_all(place_); }

  using Lease = std::shared_ptr<NumberLease>;
  static Lease numbers_of(const Spec& spec) {
    return spec.streams[0].outputs[0].protect.keys[0].numbers;
  }
  static bool take(const Lease& lease, NumberTaker::Taken& taken) {
    return NumberTaker(lease, NumberLease::kAny).take(taken);
  }
  std::string directory() const { return spec_.appliance.state_dir; }
  // A start on the same disk.
  Spec start() const {
    Spec started = spec_;
    NumberLedger(directory()).assign(started, nullptr);
    return started;
  }
  std::string remembered() const {
    std::ifstream file(directory() + "/esp");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void use(const Lease& lease, std::uint64_t count) {
    NumberTaker taker(lease, NumberLease::kAny);
    NumberTaker::Taken taken{};
    for (std::uint64_t i = 0; i < count; ++i) ASSERT_TRUE(taker.take(taken));
  }
  // Until the bulk thread has done what turn() gives it.
  static void settle(NumberLedger& ledger, const Lease& lease, std::uint64_t end) {
    while (lease->end() == end) {
      ledger.turn();
      std::this_thread::yield();
    }
  }

  static constexpr const char* kKey = "00112233445566778899aabbccddeeff01020304";
  std::filesystem::path place_;
  Spec spec_;
};

TEST_F(NumbersTest, a_start_goes_on_behind_what_was_remembered_and_no_iv_comes_twice) {
  std::mt19937_64 random(4303);
  std::set<std::uint64_t> numbers;
  std::set<std::uint64_t> ivs;
  std::size_t taken_in_all = 0;
  for (unsigned crash = 0; crash < 100; ++crash) {
    Spec spec = start();
    NumberTaker::Taken taken{};
    for (std::uint64_t left = random() % 2'000; left != 0; --left) {
      ASSERT_TRUE(take(numbers_of(spec), taken));
      numbers.insert(taken.number);
      ivs.insert(taken.iv);
      ++taken_in_all;
    }
  }
  EXPECT_EQ(numbers.size(), taken_in_all);
  EXPECT_EQ(ivs.size(), taken_in_all);
  EXPECT_EQ(*numbers.begin(), 1u);
}

TEST_F(NumbersTest, nothing_beyond_what_is_remembered_is_given_out) {
  Spec spec = start();
  const Lease lease = numbers_of(spec);
  EXPECT_EQ(remembered(),
            key_name(*spec.streams[0].outputs[0].protect.keys[0].key) + " 0000000000100001\n");
  use(lease, kBlock);
  NumberTaker::Taken taken{};
  EXPECT_FALSE(take(lease, taken));
  lease->extend(kBlock + 2);
  EXPECT_TRUE(take(lease, taken));
  EXPECT_EQ(taken.number, kBlock + 1);
  EXPECT_FALSE(take(lease, taken));
}

TEST_F(NumbersTest, the_next_block_is_on_the_disk_before_it_may_be_used) {
  NumberLedger ledger(directory());
  ledger.assign(spec_, nullptr);
  const Lease lease = numbers_of(spec_);
  use(lease, kBlock / 2);
  ledger.turn();
  EXPECT_EQ(lease->end(), kBlock + 1);  // half is left: nothing is due
  use(lease, 1);
  settle(ledger, lease, kBlock + 1);
  EXPECT_EQ(lease->end(), 2 * kBlock + 1);
  EXPECT_NE(remembered().find(" 0000000000200001\n"), std::string::npos);
  EXPECT_FALSE(lease->has_strayed());
  Spec next = start();
  EXPECT_EQ(numbers_of(next)->next(), 2 * kBlock + 1);
}

TEST_F(NumbersTest, a_reload_keeps_the_numbers_of_a_key_and_begins_those_of_another) {
  NumberLedger ledger(directory());
  Spec running = spec_;
  ledger.assign(running, nullptr);
  use(numbers_of(running), 7);
  Spec wanted = spec_;
  wanted.streams[0].outputs.resize(2);
  wanted.streams[0].outputs[1].protect.profile = ProtectProfile::EspTransport;
  wanted.streams[0].outputs[1].protect.keys =
      test::one_key(share_key(from_hex(std::string("99") + (kKey + 2))));
  ledger.assign(wanted, &running);
  EXPECT_EQ(numbers_of(wanted), numbers_of(running));
  EXPECT_EQ(wanted.streams[0].outputs[1].protect.keys[0].numbers->next(), 1u);
  // Refused: what runs is still looked after.
  Spec other = spec_;
  other.streams[0].outputs[0].protect = {};
  ledger.assign(other, &running);
  use(numbers_of(running), kBlock - 100);
  settle(ledger, numbers_of(running), kBlock + 1);
  EXPECT_FALSE(numbers_of(running)->has_strayed());
}

TEST_F(NumbersTest, where_the_disk_refuses_ivs_are_by_chance_and_packets_go_on) {
  std::filesystem::create_directories(directory() + "/esp.new");  // a file is wanted there
  std::set<std::uint64_t> ivs;
  for (unsigned i = 0; i < 20; ++i) {
    Spec spec = start();
    for (unsigned n = 0; n < 50; ++n) {
      NumberTaker::Taken taken{};
      ASSERT_TRUE(take(numbers_of(spec), taken));
      EXPECT_NE(taken.iv >> 63, 0u);  // none of a lease that is remembered
      ivs.insert(taken.iv);
    }
  }
  EXPECT_EQ(ivs.size(), 20u * 50);
}

TEST_F(NumbersTest, a_disk_that_refuses_later_costs_no_packet) {
  NumberLedger ledger(directory());
  ledger.assign(spec_, nullptr);
  const Lease lease = numbers_of(spec_);
  std::filesystem::create_directories(directory() + "/esp.new");
  use(lease, kBlock - 10);
  settle(ledger, lease, kBlock + 1);
  use(lease, 1'000);
  NumberTaker::Taken taken{};
  ASSERT_TRUE(take(lease, taken));
  EXPECT_EQ(taken.number, kBlock + 991);
  EXPECT_NE(taken.iv >> 63, 0u);
}

TEST_F(NumbersTest, a_ledger_that_is_damaged_is_not_believed) {
  std::filesystem::create_directories(directory());
  for (const char* text : {"garbage\n", "0011223344556677 10 more\n", "0011223344556677 0\n"}) {
    std::ofstream(directory() + "/esp") << text;
    Spec spec = start();
    EXPECT_TRUE(numbers_of(spec)->has_strayed()) << text;
    EXPECT_EQ(remembered(), text);
  }
}

}  // namespace
}  // namespace castgate
