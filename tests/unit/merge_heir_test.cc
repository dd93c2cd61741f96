// SPDX-License-Identifier: Apache-2.0
// A stream that is configured anew while packets flow.
#include <algorithm>
#include <random>
#include <tuple>

#include <gtest/gtest.h>

#include "tests/support/merge_paths.h"

namespace castgate::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

struct Scene {
  double loss = 0.02;
  unsigned legs = 2;
  Nanoseconds delay{700'000};  // of each leg behind the one before
  std::uint64_t count = 40'000;
  std::int64_t jitter_ns = 250'000;
};

// What each leg brings, in the order of time.
std::vector<Copy> deliveries(const Scene& scene, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::bernoulli_distribution lost(scene.loss);
  std::vector<Copy> all;
  for (std::uint64_t p = 0; p < scene.count; ++p) {
    for (unsigned leg = 0; leg < scene.legs; ++leg) {
      if (lost(random)) continue;
      const std::int64_t jitter =
          scene.jitter_ns == 0 ? 0 : static_cast<std::int64_t>(random() >> 1) % scene.jitter_ns;
      all.push_back({.leg = leg,
                     .position = p,
                     .at = Instant{1'000'000'000} + microseconds{100} * p + scene.delay * leg +
                           Nanoseconds{jitter}});
    }
  }
  std::ranges::sort(all, {},
                    [](const Copy& copy) { return std::tuple(copy.at, copy.position, copy.leg); });
  return all;
}

MergeConfig another(MergeRelease release, unsigned legs, std::mt19937_64& random) {
  MergeConfig config;
  config.release = release;
  config.legs = legs;
  config.window = 256ull << (random() % 5);
  config.max_skew = milliseconds{3 + random() % 9};
  config.playout_delay = milliseconds{12};
  config.reorder_depth = 3 + static_cast<unsigned>(random() % 3);
  return config;
}

TEST(MergeHeir, window_and_skew_change_a_hundred_times_and_nothing_is_lost) {
  for (const MergeRelease release :
       {MergeRelease::Arrival, MergeRelease::Ordered, MergeRelease::Playout}) {
    SCOPED_TRACE(static_cast<int>(release));
    std::mt19937_64 random(7);
    MergeLab lab({.release = release, .window = 512});
    const auto all = deliveries({}, 5);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i % (all.size() / 100) == 70) lab.configure(another(release, 2, random));
      lab.deliver(all[i]);
    }
    lab.finish();
    lab.expect_union();
    lab.expect_balance();
    EXPECT_GT(lab.window.totals().unrecovered, 0) << "of what both lost";
    EXPECT_EQ(lab.window.leg(0).late + lab.window.leg(1).late_after_release, 0);
  }
}

// One leg is 200 positions behind: what left long ago must be known.
TEST(MergeHeir, what_left_long_ago_is_known) {
  for (const MergeRelease release : {MergeRelease::Arrival, MergeRelease::Ordered}) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeConfig config{.release = release, .window = 1024, .max_skew = milliseconds{40}};
    MergeLab lab(config);
    const auto all = deliveries({.delay = milliseconds{20}}, 43);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i % 700 == 699) {
        config.window = 1024ull << (i % 3);
        lab.configure(config);
      }
      lab.deliver(all[i]);
    }
    lab.finish();
    lab.expect_union();
    lab.expect_balance();
  }
}

TEST(MergeHeir, held_packets_move_and_leave_when_the_gap_closes) {
  MergeLab lab({.window = 512, .max_skew = milliseconds{10}});
  const auto at = [](std::int64_t micro) { return Instant{1'000'000'000} + microseconds{micro}; };
  for (std::uint64_t p = 0; p < 10; ++p) {
    lab.deliver({.leg = 0, .position = p, .at = at(static_cast<std::int64_t>(p))});
    lab.deliver({.leg = 1, .position = p, .at = at(static_cast<std::int64_t>(p))});
  }
  for (std::uint64_t p = 12; p < 90; ++p) lab.deliver({.leg = 0, .position = p, .at = at(100)});
  EXPECT_EQ(lab.window.held(), 78);
  EXPECT_EQ(lab.passed(), 10);

  lab.configure({.window = 256, .max_skew = milliseconds{50}});
  EXPECT_EQ(lab.window.held(), 78);
  EXPECT_EQ(lab.window.window(), 256);
  lab.advance(at(40'000));
  EXPECT_EQ(lab.window.held(), 78) << "the new max_skew holds";
  lab.deliver({.leg = 1, .position = 10, .at = at(40'000)});
  lab.deliver({.leg = 1, .position = 11, .at = at(40'000)});
  EXPECT_EQ(lab.window.held(), 0);
  EXPECT_EQ(lab.passed(), 90);
  lab.finish();
  lab.expect_union();
}

TEST(MergeHeir, what_the_smaller_window_cannot_hold_leaves_in_order) {
  MergeLab lab({.window = 4096, .max_skew = milliseconds{200}});
  const auto at = [](std::int64_t micro) { return Instant{1'000'000'000} + microseconds{micro}; };
  for (unsigned leg : {0u, 1u}) lab.deliver({.leg = leg, .position = 0, .at = at(0)});
  for (std::uint64_t p = 1; p < 1500; ++p) {
    if (p % 300 != 1) lab.deliver({.leg = 0, .position = p, .at = at(10)});
  }
  EXPECT_GT(lab.window.held(), 1400);
  lab.configure({.window = 256, .max_skew = milliseconds{200}});
  EXPECT_LT(lab.window.held(), 300);
  EXPECT_GT(lab.window.totals().gaps[static_cast<std::size_t>(GapCause::Budget)], 0);
  lab.finish();
  EXPECT_EQ(lab.passed(), 1 + 1499 - 5);
  EXPECT_EQ(lab.out_of_order(), 0);
}

// Legs come, go and change places; by the paths that they are, all is one stream.
TEST(MergeHeir, legs_come_go_and_change_places) {
  std::mt19937_64 random(11);
  const Scene scene{.loss = 0.05, .legs = 3, .delay = microseconds{300}};
  const auto all = deliveries(scene, 17);
  std::vector<unsigned> paths{0, 1};  // by leg
  MergeConfig config{.window = 512, .legs = 2};
  MergeLab lab(config);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i % 500 == 499) {
      std::vector<unsigned> next{0, 1, 2};
      std::ranges::shuffle(next, random);
      next.resize(2 + random() % 2u);
      Inherited from;
      from.leg.fill(Inherited::kNew);
      for (std::size_t l = 0; l < next.size(); ++l) {
        const auto old = std::ranges::find(paths, next[l]);
        if (old != paths.end()) from.leg[l] = static_cast<std::int8_t>(old - paths.begin());
      }
      config.legs = static_cast<unsigned>(next.size());
      lab.configure(config, from);
      paths = next;
    }
    Copy copy = all[i];
    const auto leg = std::ranges::find(paths, copy.leg);
    if (leg == paths.end()) continue;
    copy.leg = static_cast<unsigned>(leg - paths.begin());
    lab.deliver(copy);
  }
  lab.finish();
  lab.expect_union();
}

TEST(MergeHeir, counters_of_legs_go_with_them) {
  MergeLab lab({.window = 512});
  const auto all = deliveries({.count = 5'000}, 23);
  for (const Copy& copy : all) lab.deliver(copy);
  const std::uint64_t packets0 = lab.window.leg_packets(0);
  const std::uint64_t lost1 = lab.window.leg(1).lost;
  const std::uint64_t forwarded = lab.window.forwarded();
  Inherited from;
  from.leg.fill(Inherited::kNew);
  from.leg[0] = 1;
  from.leg[2] = 0;
  lab.configure({.window = 1024, .legs = 3}, from);
  EXPECT_EQ(lab.window.leg_packets(2), packets0);
  EXPECT_EQ(lab.window.leg(0).lost, lost1);
  EXPECT_EQ(lab.window.leg_packets(1), 0);
  EXPECT_EQ(lab.window.forwarded(), forwarded);
}

TEST(MergeHeir, another_release_goes_on_behind_what_has_left) {
  constexpr MergeRelease kAll[] = {MergeRelease::Arrival, MergeRelease::Ordered,
                                   MergeRelease::Playout};
  std::mt19937_64 random(29);
  MergeLab lab({.window = 512});
  const auto all = deliveries({.loss = 0, .jitter_ns = 0}, 31);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i % 997 == 996) lab.configure(another(kAll[random() % 3], 2, random));
    lab.deliver(all[i]);
  }
  lab.finish();
  EXPECT_EQ(lab.twice(), 0);
  EXPECT_EQ(lab.passed(), 40'000);
}

TEST(MergeHeir, preference_and_held_understudies_stay) {
  SwitchConfig first{.prefer = true, .order = {0, 1}};
  SwitchConfig second{.prefer = true, .order = {1, 0}};
  MergeLab lab({.window = 512, .choice = &first});
  lab.keep_exits();
  const auto all = deliveries({}, 37);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == all.size() / 2) lab.configure({.window = 1024, .choice = &second});
    lab.deliver(all[i]);
  }
  lab.finish();
  lab.expect_union();
  std::uint64_t early = 0;
  std::uint64_t late = 0;
  for (const Copy& copy : lab.exits()) {
    if (copy.leg == 1) ++(copy.position < 19'000 ? early : late);
  }
  EXPECT_LT(early, 600) << "leg 0 is preferred and loses 2 %";
  EXPECT_GT(late, 19'000) << "then leg 1 is";
}

TEST(MergeHeir, a_stream_that_has_not_begun_begins_under_the_new_configuration) {
  MergeLab lab({.window = 512, .max_skew = milliseconds{10}});
  lab.configure({.window = 256, .max_skew = milliseconds{1}});
  const auto all = deliveries({.count = 2'000}, 41);
  for (const Copy& copy : all) lab.deliver(copy);
  lab.finish();
  lab.expect_union();
  lab.expect_balance();
}

}  // namespace
}  // namespace castgate::test
