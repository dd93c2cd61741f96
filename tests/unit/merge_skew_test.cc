// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/support/merge_paths.h"

namespace castgate::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// ST 2022-7 classes D, A, B, C at 10 kpps; a window of twice what max_skew holds.
struct SkewClass {
  Nanoseconds limit;
  std::uint64_t window;
};
constexpr SkewClass kClasses[] = {{microseconds{150}, 256},
                                  {milliseconds{10}, 256},
                                  {milliseconds{50}, 1024},
                                  {milliseconds{450}, 16384}};

MergeConfig config_for(const SkewClass& skew, MergeRelease release) {
  return {.release = release,
          .window = skew.window,
          .max_skew = skew.limit,
          .playout_delay = skew.limit};
}

void run_class(const SkewClass& skew, MergeRelease release, unsigned leading) {
  SCOPED_TRACE(testing::Message() << "limit " << skew.limit.count() << " ns, release "
                                  << static_cast<int>(release) << ", leading leg " << leading);
  MergeLab lab(config_for(skew, release));
  std::vector<Path> paths(2);
  paths[1 - leading].delay = skew.limit;
  send_all(lab, paths, {.count = 20'000});
  lab.expect_exact();
  EXPECT_EQ(lab.passed(), 20'000);
  EXPECT_EQ(lab.out_of_order(), 0);
}

TEST(MergeSkewTest, every_class_merges_whichever_leg_leads) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    for (const SkewClass& skew : kClasses) {
      run_class(skew, release, 0);
      run_class(skew, release, 1);
    }
    run_class({Nanoseconds{0}, 256}, release, 0);
  }
}

TEST(MergeSkewTest, every_class_fills_losses_of_either_leg) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    for (const SkewClass& skew : kClasses) {
      MergeLab lab(config_for(skew, release));
      send_all(
          lab,
          {{.loses = random_loss(0.01, 1)}, {.delay = skew.limit, .loses = random_loss(0.01, 2)}},
          {.count = 20'000});
      lab.expect_exact();
    }
  }
}

TEST(MergeSkewTest, skew_beyond_the_limit_shows_and_repeats_nothing) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    for (const SkewClass& skew : kClasses) {
      MergeLab lab(config_for(skew, release));
      const Nanoseconds beyond = skew.limit + milliseconds{1};
      send_all(lab, {{}, {.delay = beyond}}, {.count = 20'000});
      EXPECT_EQ(lab.passed(), 20'000);
      EXPECT_EQ(lab.twice(), 0);
      lab.expect_balance();
      EXPECT_EQ(lab.window.leg(1).skew.max(), static_cast<std::uint64_t>(beyond.count()));
      EXPECT_GT(lab.window.leg(1).skew.percentile(0.5),
                static_cast<std::uint64_t>(skew.limit.count()) * 4 / 5);
    }
  }
}

TEST(MergeSkewTest, leg_behind_the_window_is_counted_late) {
  MergeLab lab({.window = 256});
  send_all(lab, {{}, {.delay = milliseconds{15}}}, {.count = 5'000});
  EXPECT_EQ(lab.passed(), 5'000);
  EXPECT_EQ(lab.twice(), 0);
  EXPECT_GT(lab.window.leg(1).late, 4'500);
  lab.expect_balance();
}

TEST(MergeSkewTest, start_takes_the_lowest_position_of_both_legs) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 512});
    Wire wire;
    // Leg A was joined late: its first position comes before leg B's lower ones.
    const auto joined_late = [](std::uint64_t position) { return position < 1080; };
    send(wire, lab, {{.loses = joined_late}, {.delay = milliseconds{8}}},
         {.first = 1000, .count = 5'000});
    wire.deliver_before(kNever, lab);
    lab.finish();
    lab.expect_union();
    lab.expect_balance();
    EXPECT_EQ(lab.oracle().first(), 1000);
    EXPECT_EQ(lab.passed(), 5'000);
    EXPECT_EQ(lab.window.leg(0).lost + lab.window.leg(1).lost, 0);
    EXPECT_EQ(lab.window.totals().recovered, 0);
    EXPECT_EQ(lab.window.totals().unrecovered, 0);
  }
}

TEST(MergeSkewTest, duplicates_of_the_mirrored_start_leave_once) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 512, .legs = 3});
    const auto joined_late = [](std::uint64_t position) { return position < 1050; };
    send_all(lab, {{.loses = joined_late}, {.delay = milliseconds{7}}, {.delay = milliseconds{8}}},
             {.first = 1000, .count = 2'000});
    lab.expect_union();
    EXPECT_EQ(lab.passed(), 2'000);
    lab.expect_balance();
  }
}

TEST(MergeSkewTest, jump_of_the_skew_within_the_limit_loses_nothing) {
  // Up at once, and back as fast as the leg stays in order.
  const auto jumping = [](std::uint64_t position) -> Nanoseconds {
    if (position < 2000) return milliseconds{0};
    return milliseconds{8} - microseconds{99} * std::min<std::uint64_t>(position % 4000, 80);
  };
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 512});
    send_all(lab, {{.loses = random_loss(0.02, 3)}, {.extra_delay = jumping}}, {.count = 30'000});
    lab.expect_union();
    lab.expect_balance();
    EXPECT_EQ(lab.window.totals().unrecovered, 0);
  }
}

TEST(MergeSkewTest, playout_delays_every_packet_alike) {
  MergeLab lab({.release = MergeRelease::Playout, .window = 512});
  send_all(lab, {{.loses = random_loss(0.05, 4)}, {.delay = milliseconds{6}}}, {.count = 10'000});
  lab.expect_exact();
  EXPECT_LE(lab.longest_pause(), microseconds{200});
  // A position that only the later leg brought leaves at the same time as its neighbours.
  EXPECT_LE(lab.longest_stay(), milliseconds{10} + microseconds{100});
}

TEST(MergeSkewTest, eight_legs_of_different_skew_merge) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 512, .legs = 8});
    std::vector<Path> paths(8);
    for (unsigned leg = 0; leg < 8; ++leg) {
      paths[leg] = {.delay = milliseconds{leg}, .loses = random_loss(0.3, 10 + leg)};
    }
    send_all(lab, paths, {.count = 20'000});
    lab.expect_exact();
  }
}

}  // namespace
}  // namespace castgate::test
