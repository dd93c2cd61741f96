// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/support/merge_paths.h"

namespace castgate::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// The instrumented and unoptimised tests do less.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kSlower = 10;
#else
constexpr std::uint64_t kSlower = 1;
#endif

TEST(MergeLossTest, even_from_one_leg_and_odd_from_the_other_is_complete) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    const std::uint64_t seconds = release == MergeRelease::Ordered ? 120 / kSlower : 10;
    const std::uint64_t count = 10'000 * seconds;
    MergeLab lab({.release = release, .window = 512});
    send_all(lab,
             {{.loses = [](std::uint64_t p) { return p % 2 == 0; }},
              {.delay = milliseconds{10}, .loses = [](std::uint64_t p) { return p % 2 == 1; }}},
             {.first = 1, .count = count});
    lab.expect_exact();
    EXPECT_EQ(lab.window.totals().unrecovered, 0);
    EXPECT_EQ(lab.window.leg(0).lost, count / 2);
    EXPECT_EQ(lab.window.leg(1).lost, count / 2 - 1);  // of those from its first position on
    EXPECT_EQ(lab.window.totals().recovered, count - 1);
  }
}

TEST(MergeLossTest, a_leg_that_never_came_lost_each_position_once_however_often_that_is_asked) {
  MergeLab lab({.window = 512});
  send_all(lab, {{}, {.loses = [](std::uint64_t) { return true; }}}, {.first = 1, .count = 1'000});
  lab.finish();
  lab.finish();
  EXPECT_EQ(lab.window.leg(0).lost, 0);
  EXPECT_EQ(lab.window.leg(1).lost, 1'000);
}

void independent_losses(double p, std::uint64_t count, std::uint64_t seed) {
  MergeLab lab({.window = 512});
  send_all(lab,
           {{.loses = random_loss(p, seed)},
            {.delay = microseconds{700}, .loses = random_loss(p, seed + 1)}},
           {.count = count});
  lab.expect_exact();
  // Enough of it happened for the equality to mean something.
  const double expected = p * p * static_cast<double>(count);
  EXPECT_NEAR(static_cast<double>(lab.window.totals().unrecovered), expected,
              4 * std::sqrt(expected) + 1);
}

TEST(MergeLossTest, one_in_a_thousand_loses_only_what_both_lost) {
  independent_losses(1e-3, 10'000'000 / kSlower, 11);
}
TEST(MergeLossTest, one_in_a_hundred_loses_only_what_both_lost) {
  independent_losses(1e-2, 1'000'000 / kSlower, 21);
}
TEST(MergeLossTest, one_in_ten_loses_only_what_both_lost) {
  independent_losses(0.1, 1'000'000 / kSlower, 31);
}

TEST(MergeLossTest, bursts_lose_only_what_both_lost) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 512});
    send_all(lab,
             {{.loses = burst_loss(0.01, 20, 41)},
              {.delay = milliseconds{3}, .loses = burst_loss(0.01, 20, 42)}},
             {.count = 300'000});
    lab.expect_union();
    lab.expect_balance();
    EXPECT_GT(lab.window.totals().unrecovered, 0);
    if (release != MergeRelease::Arrival) lab.expect_counters();
  }
}

// One leg is bad at a time, for `bad_for` positions with a rest of `rest`, then the other.
void alternating_bursts(MergeRelease release, std::uint64_t bad_for, std::uint64_t rest) {
  SCOPED_TRACE(testing::Message() << static_cast<int>(release) << ", " << bad_for);
  MergeLab lab({.release = release, .window = 512});
  const std::uint64_t period = bad_for + rest;
  const auto bad = [=](std::uint64_t turn) {
    return [=, loses = burst_loss(0.5, 20, 51)](std::uint64_t p) mutable {
      return p / period % 2 == turn && p % period < bad_for && loses(p);
    };
  };
  send_all(lab, {{.loses = bad(0)}, {.delay = milliseconds{5}, .loses = bad(1)}},
           {.count = 4 * period});
  lab.expect_union();
  lab.expect_balance();
  EXPECT_EQ(lab.window.totals().unrecovered, 0);
  EXPECT_GT(lab.window.leg(0).lost, bad_for * 4 / 5);  // half of two turns
}

TEST(MergeLossTest, alternating_bursts_lose_nothing) {
  for (const MergeRelease release : kReleases) {
    for (unsigned round = 0; round < 6; ++round) alternating_bursts(release, 3'000, 1'000);
    alternating_bursts(release, 100'000 / kSlower, 1'000);  // of 10 s
  }
}

TEST(MergeLossTest, both_lost_packet_is_given_up_as_soon_as_both_legs_passed) {
  MergeLab lab({.window = 1024, .max_skew = milliseconds{50}});
  const auto lost = [](std::uint64_t p) { return p % 1000 == 500; };
  const Sending sending{.count = 20'000};
  send_all(lab, {{.loses = lost}, {.delay = milliseconds{1}, .loses = lost}}, sending);
  lab.expect_exact();
  ASSERT_EQ(lab.gaps.size(), 20);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(lab.gaps[i].cause, GapCause::BothLost);
    const Instant sent = sending.start + sending.interval * (1000 * static_cast<int>(i) + 500);
    EXPECT_LE(lab.gaps[i].at, sent + milliseconds{1} + (3 + 2) * sending.interval);
  }
  EXPECT_LT(lab.longest_stay(), milliseconds{3});
}

TEST(MergeLossTest, hole_waits_for_a_live_leg_until_max_skew) {
  MergeLab lab({.window = 1024, .max_skew = milliseconds{50}});
  // Leg B dies with position 5000; nobody knows yet when 5001 is missing on A.
  send_all(lab,
           {{.loses = [](std::uint64_t p) { return p == 5001; }},
            {.loses = [](std::uint64_t p) { return p >= 5000; }}},
           {.count = 10'000});
  lab.expect_exact();
  ASSERT_EQ(lab.gaps.size(), 1);
  EXPECT_EQ(lab.gaps[0].cause, GapCause::Deadline);
  EXPECT_EQ(lab.gaps[0].at, Instant{1'000'000'000} + 5002 * microseconds{100} + milliseconds{50});
}

// Leg B lives, but 30 ms behind: nobody knows what it will bring, so that each hole of A, one in
// `period`, waits for max_skew from the packet behind it, and no longer.
void holes_that_nobody_fills(MergeRelease release, const SwitchConfig* choice,
                             std::uint64_t period) {
  SCOPED_TRACE(testing::Message() << static_cast<int>(release) << (choice ? " chosen, " : ", ")
                                  << period);
  MergeLab lab({.release = release, .window = 1024, .choice = choice});
  const Sending sending{.count = 20'000};
  const auto lost = [=](std::uint64_t p) { return p > 1'000 && p % period == 0; };
  send_all(lab, {{.loses = lost}, {.delay = milliseconds{30}}}, sending);
  const std::uint64_t before = 1'000 / period;
  ASSERT_EQ(lab.gaps.size(), 19'999 / period - before);
  for (std::size_t i = 0; i < lab.gaps.size(); ++i) {
    const auto hole = static_cast<std::int64_t>(period * (before + 1 + i));
    ASSERT_EQ(lab.gaps[i].to, lab.gaps[i].from);
    EXPECT_EQ(lab.gaps[i].cause, GapCause::Deadline);
    EXPECT_EQ(lab.gaps[i].at, sending.start + (hole + 1) * sending.interval + milliseconds{10});
  }
  lab.expect_balance();
}

TEST(MergeLossTest, each_hole_waits_max_skew_from_its_own_beginning) {
  constexpr SwitchConfig kAllAlike{};
  for (const std::uint64_t period : {97u, 250u}) {  // two at a time, one at a time
    for (const MergeRelease release : {MergeRelease::Ordered, MergeRelease::Arrival}) {
      holes_that_nobody_fills(release, nullptr, period);
    }
    holes_that_nobody_fills(MergeRelease::Ordered, &kAllAlike, period);
  }
}

TEST(MergeLossTest, copies_within_a_leg_leave_once) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 512});
    const auto thrice = [](std::uint64_t seed) {
      return [chosen = random_loss(0.01, seed)](std::uint64_t p) mutable {
        return chosen(p) ? 3u : 0u;
      };
    };
    send_all(lab,
             {{.loses = random_loss(0.01, 61), .copies = thrice(62)},
              {.delay = milliseconds{2}, .loses = random_loss(0.01, 63), .copies = thrice(64)}},
             {.count = 100'000});
    lab.expect_exact();
    EXPECT_GT(lab.window.leg(0).duplicate_same_leg, 2'000);
  }
}

std::function<Nanoseconds(std::uint64_t)> reordering(double p, unsigned depth, std::uint64_t seed) {
  return [chosen = random_loss(p, seed), depth](std::uint64_t position) mutable {
    return chosen(position) ? depth * microseconds{100} + microseconds{50} : microseconds{0};
  };
}

TEST(MergeLossTest, reordering_within_the_depth_loses_nothing) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 512, .reorder_depth = 8});
    send_all(lab,
             {{.loses = random_loss(0.01, 71), .extra_delay = reordering(0.01, 8, 72)},
              {.delay = milliseconds{2},
               .loses = random_loss(0.01, 73),
               .extra_delay = reordering(0.01, 8, 74)}},
             {.count = 100'000});
    lab.expect_union();
    lab.expect_balance();
    EXPECT_GT(lab.window.leg(0).reordered, 800);
    if (release != MergeRelease::Arrival) lab.expect_counters();
  }
}

TEST(MergeLossTest, single_leg_reordering_within_the_depth_loses_nothing) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 512, .legs = 1, .reorder_depth = 8});
    send_all(lab, {{.extra_delay = reordering(0.02, 8, 75)}}, {.count = 50'000});
    lab.expect_exact();
    EXPECT_EQ(lab.window.totals().unrecovered, 0);
  }
}

// Further than a leg's own record of what it brought reaches.
TEST(MergeLossTest, reordering_by_80_positions_is_counted) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 512, .reorder_depth = 100});
    const auto late = [](std::uint64_t p) {
      return p % 500 == 250 ? 80 * microseconds{100} + microseconds{50} : microseconds{0};
    };
    const auto never = [](std::uint64_t p) { return p % 500 == 250; };
    send_all(lab, {{.extra_delay = late}, {.loses = never}}, {.count = 20'000});
    lab.expect_union();
    lab.expect_balance();
    EXPECT_EQ(lab.window.totals().unrecovered, 0);
    EXPECT_EQ(lab.window.leg(0).reordered, 40);
    EXPECT_EQ(lab.window.leg(1).reordered, 0);
  }
}

TEST(MergeLossTest, reordering_beyond_the_depth_is_late_and_keeps_the_order) {
  for (const MergeRelease release : {MergeRelease::Ordered, MergeRelease::Playout}) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release,
                  .window = 512,
                  .max_skew = milliseconds{1},
                  .playout_delay = milliseconds{1},
                  .legs = 1,
                  .reorder_depth = 3});
    send_all(lab,
             {{.extra_delay =
                   [](std::uint64_t p) {
                     return p % 100 == 50 ? 20 * microseconds{100} + microseconds{50}
                                          : microseconds{0};
                   }}},
             {.count = 10'000});
    lab.expect_balance();
    EXPECT_EQ(lab.out_of_order() + lab.twice(), 0);
    EXPECT_EQ(lab.passed(), 9'900);
    EXPECT_EQ(lab.window.leg(0).late_after_release, 100);
    EXPECT_EQ(lab.window.leg(0).reordered, 100);
    EXPECT_EQ(lab.window.totals().unrecovered, 100);
  }
}

TEST(MergeLossTest, single_leg_gap_closes_behind_the_reordering_depth) {
  MergeLab lab({.window = 1024, .max_skew = milliseconds{50}, .legs = 1, .reorder_depth = 3});
  send_all(lab, {{.loses = [](std::uint64_t p) { return p == 500; }}}, {.count = 1'000});
  lab.expect_exact();
  ASSERT_EQ(lab.gaps.size(), 1);
  EXPECT_EQ(lab.gaps[0].at, Instant{1'000'000'000} + 504 * microseconds{100});
}

TEST(MergeLossTest, reordered_first_packets_of_a_leg_are_not_its_duplicates) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 512});
    // Leg A begins with 5, 4, 6; leg B never has 4.
    const auto late_fourth = [](std::uint64_t p) {
      return p == 4 ? microseconds{150} : microseconds{0};
    };
    send_all(lab,
             {{.loses = [](std::uint64_t p) { return p < 4; }, .extra_delay = late_fourth},
              {.delay = milliseconds{3}, .loses = [](std::uint64_t p) { return p == 4; }}},
             {.count = 2'000});
    lab.expect_union();
    lab.expect_balance();
    EXPECT_EQ(lab.window.leg(0).duplicate_same_leg, 0);
    EXPECT_EQ(lab.window.leg(0).reordered, 1);
    EXPECT_EQ(lab.window.leg(0).lost, 0);
    EXPECT_EQ(lab.window.leg(1).lost, 1);
  }
}

}  // namespace
}  // namespace castgate::test
