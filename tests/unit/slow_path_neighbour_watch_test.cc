// SPDX-License-Identifier: Apache-2.0
// When neighbours are asked for their MAC addresses, and what is told of them.
#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "controlplane/slow_path/neighbour_watch.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;
using enum NeighbourOrder;

const MacAddress kMac{{2, 0, 0, 0, 9, 7}};
const MacAddress kOther{{2, 0, 0, 0, 9, 8}};

class NeighbourWatchTest : public testing::Test {
 protected:
  void pass(Nanoseconds span) {
    for (const Instant end = now_ + span; now_ < end;) {
      now_ = now_ + NeighbourWatch::kTurn;
      watch_.turn(now_);
    }
  }
  void hear(NeighbourState state, std::optional<MacAddress> mac = {}) {
    watch_.hear({kKey, state, mac}, now_);
  }
  // As `kKey` answers for a while, whenever it is asked itself.
  void live(Nanoseconds span) {
    for (const Instant end = now_ + span; now_ < end;) {
      orders_.clear();
      pass(NeighbourWatch::kTurn);
      if (has(Probe)) hear(NeighbourState::Reachable, kMac);
    }
  }
  bool has(NeighbourOrder order) const { return std::ranges::count(orders_, order) != 0; }

  static inline const NeighbourKey kKey{5, *IpAddress::parse("10.9.0.7")};
  std::vector<NeighbourOrder> orders_;
  std::vector<std::optional<MacAddress>> told_;
  std::size_t all_orders_ = 0;
  Instant now_{1'000'000'000};
  NeighbourWatch watch_{
      [this](const NeighbourKey& key, NeighbourOrder order) {
        if (key == kKey) orders_.push_back(order);
        ++all_orders_;
      },
      [this](const NeighbourKey& /*key*/, std::optional<MacAddress> mac) { told_.push_back(mac); },
      7};
};

TEST_F(NeighbourWatchTest, unknown_neighbour_is_looked_up_and_asked_for) {
  watch_.add(kKey, now_);
  EXPECT_EQ(orders_, std::vector{Look});
  pass(10ms);
  EXPECT_EQ(orders_, (std::vector{Look, Resolve}));
  hear(NeighbourState::Incomplete);
  EXPECT_TRUE(told_.empty());
  hear(NeighbourState::Reachable, kMac);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0], kMac);
  EXPECT_EQ(watch_.mac(kKey), kMac);
}

TEST_F(NeighbourWatchTest, neighbour_nobody_has_is_asked_for_less_and_less_often) {
  watch_.add(kKey, now_);
  pass(3600s);
  const auto asked = std::ranges::count(orders_, Resolve);
  EXPECT_GE(asked, 3600 / 36);
  EXPECT_LE(asked, 3600 / 28 + 4);
  EXPECT_FALSE(has(Probe) || has(Forget));
  EXPECT_TRUE(told_.empty());
}

TEST_F(NeighbourWatchTest, answering_neighbour_is_asked_itself_and_all_the_others_are_left_alone) {
  watch_.add(kKey, now_);
  hear(NeighbourState::Stale, kMac);  // as the kernel knew it
  EXPECT_EQ(told_.size(), 1u);
  pass(10ms);
  EXPECT_EQ(orders_, (std::vector{Look, Probe}));
  hear(NeighbourState::Reachable, kMac);
  const std::size_t before = all_orders_;
  live(100s);
  EXPECT_GE(all_orders_ - before, 100u * 1000 / 450);
  EXPECT_LE(all_orders_ - before, 100u * 1000 / 360);
  EXPECT_EQ(told_.size(), 1u);
}

TEST_F(NeighbourWatchTest, mac_that_changes_without_a_word_is_followed_within_a_second) {
  watch_.add(kKey, now_);
  hear(NeighbourState::Reachable, kMac);
  live(5s);
  const Instant changed = now_;
  orders_.clear();
  while (!has(Resolve)) pass(10ms);  // it answers no probe any more, but whoever asks all
  EXPECT_LE(now_ - changed, 720ms);
  EXPECT_EQ(orders_, (std::vector{Probe, Forget, Resolve}));
  hear(NeighbourState::Failed);
  hear(NeighbourState::Incomplete);
  EXPECT_EQ(told_.size(), 1u) << "the old one holds until there is another";
  hear(NeighbourState::Reachable, kOther);
  EXPECT_EQ(watch_.mac(kKey), kOther);
}

TEST_F(NeighbourWatchTest, announced_mac_is_followed_at_once) {
  watch_.add(kKey, now_);
  hear(NeighbourState::Reachable, kMac);
  live(1s);
  hear(NeighbourState::Stale, kOther);  // gratuitous ARP
  EXPECT_EQ(watch_.mac(kKey), kOther);
  orders_.clear();
  pass(NeighbourWatch::kTurn);
  pass(NeighbourWatch::kAnswer);
  EXPECT_TRUE(has(Probe) || has(Resolve)) << "who said so is asked";
}

TEST_F(NeighbourWatchTest, neighbour_that_is_gone_is_believed_for_three_seconds) {
  watch_.add(kKey, now_);
  hear(NeighbourState::Reachable, kMac);
  hear(NeighbourState::Gone);
  pass(2900ms);
  EXPECT_EQ(told_.size(), 1u);
  pass(200ms);
  ASSERT_EQ(told_.size(), 2u);
  EXPECT_FALSE(told_[1]);
  orders_.clear();
  pass(5s);
  EXPECT_TRUE(has(Resolve)) << "it may come back";
}

TEST_F(NeighbourWatchTest, what_an_operator_fixed_is_not_asked) {
  watch_.add(kKey, now_);
  hear(NeighbourState::Fixed, kMac);
  pass(60s);
  EXPECT_EQ(orders_, std::vector{Look});
  hear(NeighbourState::Gone);
  pass(10ms);
  EXPECT_TRUE(has(Resolve));
}

TEST_F(NeighbourWatchTest, neighbour_is_watched_as_long_as_somebody_wants_it) {
  watch_.add(kKey, now_);
  watch_.add(kKey, now_);
  watch_.remove(kKey);
  EXPECT_EQ(watch_.size(), 1u);
  watch_.remove(kKey);
  watch_.remove(kKey);
  EXPECT_EQ(watch_.size(), 0u);
  orders_.clear();
  hear(NeighbourState::Reachable, kMac);
  pass(10s);
  EXPECT_TRUE(orders_.empty() && told_.empty());
}

TEST_F(NeighbourWatchTest, thousands_of_neighbours_hold_up_no_new_one) {
  for (unsigned i = 0; i < 5000; ++i) {
    const NeighbourKey key{6, IpAddress::v4(0x0a0a0000 + i)};
    watch_.add(key, now_);
    watch_.hear({key, NeighbourState::Reachable, kOther}, now_);
  }
  pass(1s);
  all_orders_ = 0;
  watch_.add(kKey, now_);
  pass(20ms);
  EXPECT_TRUE(has(Resolve));
  all_orders_ = 0;
  pass(1s);
  EXPECT_LE(all_orders_, 400u + 1600u * 2);
}

}  // namespace
}  // namespace castgate
