// SPDX-License-Identifier: Apache-2.0
// Feeds without numbers: what any leg delivered comes out once, in the source's order.
#include "dataplane/base/fingerprint/fingerprint_merge.h"

#include "tests/support/fingerprint_lab.h"

namespace castgate {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using test::Feed;
using test::feed_of;
using test::FeedPath;
using test::FingerprintLab;
using test::seeded;

MergeConfig config(MergeRelease release, unsigned legs = 2) {
  return {.release = release, .window = 1024, .max_skew = milliseconds{10}, .legs = legs};
}

class FingerprintMergeTest : public testing::TestWithParam<std::tuple<double, int, bool>> {};

TEST_P(FingerprintMergeTest, residual_is_what_both_legs_lost) {
  const auto [loss, skew_us, second_leads] = GetParam();
  FingerprintLab lab(config(MergeRelease::Ordered));
  std::vector<FeedPath> paths{{.loses = seeded(loss, 1)}, {.loses = seeded(loss, 2)}};
  paths[second_leads ? 0 : 1].delay = microseconds{skew_us};
  lab.run(feed_of(100'000, 0.05, 3), paths);
  lab.finish();
  lab.expect_in_order();
  EXPECT_LE(lab.longest_stay(), milliseconds{10});
}

INSTANTIATE_TEST_SUITE_P(losses_and_skews, FingerprintMergeTest,
                         testing::Combine(testing::Values(0, 1e-3, 1e-2),
                                          testing::Values(0, 300, 4200, 10'000), testing::Bool()));

TEST(FingerprintMerge, arrival_forwards_each_payload_once) {
  for (const double loss : {0.0, 1e-3, 1e-2}) {
    FingerprintLab lab(config(MergeRelease::Arrival));
    lab.run(feed_of(100'000, 0.05, 3),
            {{.loses = seeded(loss, 1)}, {.delay = microseconds{4200}, .loses = seeded(loss, 2)}});
    lab.finish();
    lab.expect_union();
    EXPECT_EQ(lab.longest_stay(), Nanoseconds{0});
  }
}

TEST(FingerprintMerge, goes_on_under_another_configuration) {
  for (const MergeRelease release : {MergeRelease::Arrival, MergeRelease::Ordered}) {
    SCOPED_TRACE(static_cast<int>(release));
    FingerprintLab lab(config(release));
    std::uint64_t times = 0;
    lab.before_each = [&](std::uint64_t copy) {
      if (copy % 331 != 330) return;
      MergeConfig next = config(release);
      next.window = 1024ull << (++times % 3);
      next.max_skew = milliseconds{8 + static_cast<std::int64_t>(times % 5)};
      lab.configure(next);
    };
    lab.run(feed_of(40'000, 0.05, 3),
            {{.loses = seeded(1e-2, 1)}, {.delay = microseconds{4200}, .loses = seeded(1e-2, 2)}});
    lab.finish();
    EXPECT_GT(times, 200u);
    if (release == MergeRelease::Ordered) {
      lab.expect_in_order();
    } else {
      lab.expect_union();
    }
    EXPECT_EQ(lab.merge.leg(0).lost, lab.lost_on(0));
  }
}

std::function<bool(std::uint64_t)> away(std::uint64_t from, std::uint64_t to) {
  return [=](std::uint64_t i) { return i >= from && i < to; };
}

TEST(FingerprintMerge, legs_counters_are_what_each_lost) {
  for (const MergeRelease release : {MergeRelease::Arrival, MergeRelease::Ordered}) {
    FingerprintLab lab(config(release, 3));
    lab.run(feed_of(20'000, 0.05, 3), {{.loses = seeded(1e-2, 1)},
                                       {.delay = microseconds{2700}, .loses = seeded(1e-2, 2)},
                                       {.delay = microseconds{6000}, .loses = seeded(1e-2, 4)}});
    lab.finish();
    std::uint64_t lost = 0;
    for (unsigned leg = 0; leg < 3; ++leg) {
      EXPECT_EQ(lab.merge.leg(leg).lost, lab.lost_on(leg)) << "leg " << leg;
      lost += lab.lost_on(leg);
    }
    EXPECT_EQ(lab.merge.totals().recovered, lost);
    EXPECT_EQ(lab.merge.totals().unrecovered, 0u);
  }
}

TEST(FingerprintMerge, eight_legs_make_one_stream) {
  FingerprintLab lab(config(MergeRelease::Ordered, 8));
  std::vector<FeedPath> paths;
  paths.reserve(8);
  for (unsigned leg = 0; leg < 8; ++leg) {
    paths.push_back({.delay = microseconds{leg * 1300}, .loses = seeded(0.3, leg)});
  }
  lab.run(feed_of(20'000, 0.05, 3), paths);
  lab.finish();
  lab.expect_in_order();
}

TEST(FingerprintMerge, leg_that_comes_later_and_leads_keeps_the_order) {
  for (const int skew_us : {500, 4200, 9900}) {
    FingerprintLab lab(config(MergeRelease::Ordered));
    lab.run(feed_of(5'000, 0.05, 3), {{.delay = microseconds{skew_us}}, {.loses = away(0, 1000)}});
    lab.finish();
    lab.expect_in_order();
  }
}

TEST(FingerprintMerge, leg_that_dies_and_comes_back_costs_nothing) {
  for (const bool leader : {false, true}) {
    FingerprintLab lab(config(MergeRelease::Ordered));
    std::vector<FeedPath> paths{{}, {.delay = microseconds{4200}}};
    paths[leader ? 0 : 1].loses = away(1000, 3000);
    lab.run(feed_of(5'000, 0.05, 3), paths);
    lab.finish();
    lab.expect_in_order();
    const unsigned leg = leader ? 0 : 1;
    using Change = MergeOutlet::LegChange;
    const std::vector<std::pair<unsigned, Change>> wanted{
        {0, Change::Up}, {1, Change::Up}, {leg, Change::Silent}, {leg, Change::Up}};
    EXPECT_EQ(lab.changes, wanted);
  }
}

TEST(FingerprintMerge, silent_leg_is_not_waited_for) {
  FingerprintLab lab(config(MergeRelease::Ordered));
  for (std::uint64_t i = 1; i <= 400; ++i) {
    lab.advance(Instant{1'000'000'000} + static_cast<std::int64_t>(i) * milliseconds{1});
    if (i == 140) lab.mark_stay();
    lab.deliver(0, i);
    if (i < 100) lab.deliver(1, i);
  }
  EXPECT_EQ(lab.out.size(), 400u);
  EXPECT_EQ(lab.longest_stay(), Nanoseconds{0});
  lab.finish();
}

TEST(FingerprintMerge, single_leg_waits_for_nobody) {
  FingerprintLab lab(config(MergeRelease::Ordered, 1));
  lab.run(feed_of(1'000, 0.05, 3), {{.loses = seeded(0.1, 1)}});
  EXPECT_EQ(lab.longest_stay(), Nanoseconds{0});
  lab.finish();
  lab.expect_in_order();
}

TEST(FingerprintMerge, leg_of_another_feed_delays_for_a_while_only) {
  FingerprintLab lab(config(MergeRelease::Ordered));
  for (std::uint64_t i = 1; i <= 2000; ++i) {
    lab.advance(Instant{1'000'000'000} + static_cast<std::int64_t>(i) * milliseconds{1});
    if (i == 600) lab.mark_stay();
    lab.deliver(0, i);
    lab.deliver(1, 1'000'000 + i);
  }
  EXPECT_EQ(lab.longest_stay(), Nanoseconds{0});
  EXPECT_TRUE(lab.merge.leg(0).diverged);
  EXPECT_TRUE(lab.merge.leg(1).diverged);
  lab.finish();
  EXPECT_EQ(lab.out.size(), 4000u);
}

TEST(FingerprintMerge, leg_that_leads_by_many_packets_is_of_the_same_feed) {
  MergeConfig large = config(MergeRelease::Ordered);
  large.window = 8192;
  FingerprintLab lab(large);
  Feed feed = feed_of(20'000, 0.05, 3);
  feed.interval = microseconds{10};
  lab.run(feed, {{.delay = microseconds{9900}, .loses = seeded(1e-3, 1)},
                 {.loses = [lost = seeded(1e-3, 2)](std::uint64_t i) mutable {
                   return lost(i) || i < 5'000;
                 }}});
  lab.finish();
  lab.expect_in_order();
  EXPECT_EQ(lab.changes.size(), 2u);
}

TEST(FingerprintMerge, heartbeats_all_the_same_leave_as_often_as_they_were_sent) {
  for (const MergeRelease release : {MergeRelease::Arrival, MergeRelease::Ordered}) {
    for (const int interval_ms : {11, 50}) {
      FingerprintLab lab(config(release));
      Feed feed = feed_of(2'000, 1, 3);
      feed.interval = milliseconds{interval_ms};
      lab.run(feed, {{.loses = seeded(0.05, 1)},
                     {.delay = microseconds{4700}, .loses = seeded(0.05, 2)}});
      lab.finish();
      lab.expect_in_order();
    }
  }
}

// Which of the first is a copy of which, nobody can tell: as many as are between the legs may be
// missing, and no more however long it lasts.
TEST(FingerprintMerge, feed_that_is_always_the_same_is_shifted_once_at_most) {
  FingerprintLab lab(config(MergeRelease::Ordered));
  lab.run(feed_of(50'000, 1, 3),
          {{.loses = seeded(0.05, 1)}, {.delay = microseconds{4700}, .loses = seeded(0.05, 2)}});
  lab.finish();
  EXPECT_NEAR(static_cast<double>(lab.out.size()), static_cast<double>(lab.expected().size()), 10);
}

TEST(FingerprintMerge, jitter_of_several_packets_loses_and_repeats_none_that_differ) {
  FingerprintLab lab(config(MergeRelease::Ordered));
  const auto jitter = [](std::uint64_t seed) {
    return [random = std::mt19937_64(seed)](std::uint64_t) mutable {
      return Nanoseconds{static_cast<std::int64_t>(random() % 4'000'000)};
    };
  };
  lab.run(feed_of(20'000, 0, 3),
          {{.loses = seeded(1e-2, 1), .jitter = jitter(1)},
           {.delay = microseconds{4200}, .loses = seeded(1e-2, 2), .jitter = jitter(2)}});
  lab.finish();
  lab.expect_union();
}

TEST(FingerprintMerge, faster_than_max_rate_forgets_early_and_counts_it) {
  MergeConfig small = config(MergeRelease::Ordered);
  small.window = 256;
  FingerprintLab lab(small);
  Feed feed = feed_of(5'000, 0, 3);
  feed.interval = microseconds{10};
  lab.run(feed, {{}, {.delay = microseconds{100}}});
  EXPECT_GT(lab.merge.totals().gaps[static_cast<std::size_t>(GapCause::Budget)], 0u);
  lab.finish();
  lab.expect_in_order();
}

TEST(FingerprintMerge, budget_of_packets_is_kept) {
  FingerprintLab lab(config(MergeRelease::Ordered));
  lab.limit_held(3);
  lab.run(feed_of(5'000, 0.05, 3), {{}, {.delay = milliseconds{9}}});
  EXPECT_LE(lab.merge.totals().held_max, 4u);
  lab.finish();
  lab.expect_in_order();
}

}  // namespace
}  // namespace castgate
