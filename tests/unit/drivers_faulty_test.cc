// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <deque>
#include <set>

#include "drivers/faulty_port.h"
#include "tests/support/quiet_eal.h"

namespace castgate {
namespace {

// Delivers numbered packets, one a receive call, as a slow sender would.
class NumberedPort final : public Port {
 public:
  NumberedPort(rte_mempool* pool, unsigned count) : pool_(pool), count_(count) {}
  unsigned receive(unsigned /*queue*/, std::span<rte_mbuf*> burst) noexcept override {
    if (next_ == count_) return 0;
    burst[0] = rte_pktmbuf_alloc(pool_);
    const auto number = next_++;
    std::memcpy(rte_pktmbuf_append(burst[0], sizeof number), &number, sizeof number);
    return 1;
  }
  unsigned transmit(unsigned /*queue*/, std::span<rte_mbuf* const> /*burst*/) noexcept override {
    return 0;
  }
  const PortFacts& facts() const noexcept override { return facts_; }
  PortStats stats() const override { return {}; }
  bool over() const { return next_ == count_; }

 private:
  rte_mempool* pool_;
  unsigned count_;
  unsigned next_ = 0;
  PortFacts facts_;
};

struct Outcome {
  std::vector<unsigned> numbers;
  std::vector<std::int64_t> times;  // of delivery, in microseconds
  FaultCounts counts;
};

class FaultyTest : public test::DriverTest {
 protected:
  // One packet each millisecond, then 100 ms of silence.
  Outcome run(const FaultModel& model, unsigned count) {
    NumberedPort inner(pool(), count);
    Instant now{0};
    FaultyPort port(inner, model, [&] { return now; }, pool());
    Outcome outcome;
    for (unsigned silent = 0; silent < 100; now.ns += 1'000'000) {
      std::array<rte_mbuf*, 32> burst{};
      const unsigned received = port.receive(0, burst);
      for (rte_mbuf* packet : std::span(burst).first(received)) {
        outcome.numbers.push_back(*rte_pktmbuf_mtod(packet, unsigned*));
        outcome.times.push_back(now.ns / 1000);
        rte_pktmbuf_free(packet);
      }
      if (inner.over()) ++silent;
    }
    outcome.counts = port.counts();
    return outcome;
  }
};

TEST_F(FaultyTest, model_without_faults_changes_nothing) {
  const auto outcome = run({}, 500);
  ASSERT_EQ(outcome.numbers.size(), 500u);
  EXPECT_TRUE(std::ranges::is_sorted(outcome.numbers));
  EXPECT_EQ(outcome.times.back(), 499'000);
}

TEST_F(FaultyTest, same_seed_gives_the_same_packets_and_another_seed_others) {
  const FaultModel model{.seed = 7, .loss = 0.1, .duplicate = 0.1, .reorder = 0.1};
  FaultModel other = model;
  other.seed = 8;
  const auto first = run(model, 1000);
  EXPECT_EQ(first.numbers, run(model, 1000).numbers);
  EXPECT_NE(first.numbers, run(other, 1000).numbers);
}

TEST_F(FaultyTest, independent_loss_comes_near_its_rate_and_is_counted) {
  const auto outcome = run({.loss = 0.1}, 20'000);
  EXPECT_EQ(outcome.numbers.size() + outcome.counts.lost, 20'000u);
  EXPECT_NEAR(static_cast<double>(outcome.counts.lost), 2000, 200);
}

TEST_F(FaultyTest, gilbert_elliott_loses_in_runs_of_the_mean_length) {
  const auto outcome = run({.burst_enter = 0.01, .burst_leave = 0.1}, 50'000);
  const std::set<unsigned> came(outcome.numbers.begin(), outcome.numbers.end());
  unsigned runs = 0;
  for (unsigned n = 1; n < 50'000; ++n) runs += came.contains(n - 1) && !came.contains(n) ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(outcome.counts.lost) / runs, 10, 1.5);
}

TEST_F(FaultyTest, duplicates_follow_their_original) {
  const auto outcome = run({.duplicate = 1}, 10);
  ASSERT_EQ(outcome.numbers.size(), 20u);
  for (unsigned i = 0; i < 20; ++i) EXPECT_EQ(outcome.numbers[i], i / 2);
}

TEST_F(FaultyTest, reordered_packet_comes_after_at_most_depth_later_ones) {
  const auto outcome = run({.reorder = 0.2, .reorder_depth = 3}, 2000);
  ASSERT_EQ(outcome.numbers.size(), 2000u);
  EXPECT_GT(outcome.counts.reordered, 300u);
  EXPECT_FALSE(std::ranges::is_sorted(outcome.numbers));
  for (unsigned at = 0; at < 2000; ++at) {
    unsigned later_ones = 0;
    for (unsigned before = 0; before < at; ++before) {
      later_ones += outcome.numbers[before] > outcome.numbers[at] ? 1 : 0;
    }
    EXPECT_LE(later_ones, 3u);
  }
}

TEST_F(FaultyTest, last_packet_comes_out_though_nothing_follows_it) {
  const auto outcome = run({.reorder = 1}, 1);
  ASSERT_EQ(outcome.numbers.size(), 1u);
  EXPECT_EQ(outcome.times[0], 5000);
}

TEST_F(FaultyTest, delay_moves_every_packet_by_the_same_time) {
  const auto outcome = run({.delay = Nanoseconds(7'000'000)}, 100);
  ASSERT_EQ(outcome.numbers.size(), 100u);
  for (unsigned i = 0; i < 100; ++i) EXPECT_EQ(outcome.times[i], 1000 * (i + 7));
}

TEST_F(FaultyTest, packets_still_held_are_freed_with_the_port) {
  NumberedPort inner(pool(), 5);
  FaultyPort port(inner, {.delay = Nanoseconds(1'000'000'000)}, [] { return Instant{0}; });
  std::array<rte_mbuf*, 4> burst{};
  for (unsigned i = 0; i < 5; ++i) EXPECT_EQ(port.receive(0, burst), 0u);
  EXPECT_EQ(port.counts().held, 5u);
}

}  // namespace
}  // namespace castgate
