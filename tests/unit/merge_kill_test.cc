// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/support/merge_paths.h"

namespace castgate::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr milliseconds kSkews[] = {milliseconds{0}, milliseconds{1}, milliseconds{10},
                                   milliseconds{50}};

MergeConfig config_for(MergeRelease release) {
  return {.release = release,
          .window = 1024,
          .max_skew = milliseconds{50},
          .playout_delay = milliseconds{50}};
}

bool between(std::uint64_t position, std::uint64_t from, std::uint64_t to) {
  return position >= from && position < to;
}

TEST(MergeKillTest, death_and_return_of_the_leading_leg_lose_nothing) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    for (const milliseconds skew : kSkews) {
      SCOPED_TRACE(testing::Message()
                   << static_cast<int>(release) << ", " << skew.count() << " ms");
      MergeLab lab(config_for(release));
      send_all(
          lab,
          {{.loses = [](std::uint64_t p) { return between(p, 5'000, 12'000); }}, {.delay = skew}},
          {.count = 20'000});
      lab.expect_exact();
      EXPECT_EQ(lab.passed(), 20'000);
      EXPECT_EQ(lab.window.leg(0).lost, 7'000);
      EXPECT_EQ(lab.window.totals().recovered, 7'000);
      const Nanoseconds interval = microseconds{100};
      const Nanoseconds most =
          release == MergeRelease::Playout ? interval + microseconds{100} : skew + interval;
      EXPECT_LE(lab.longest_pause(), most);
      EXPECT_EQ(lab.leg_changes[0][static_cast<int>(MergeOutlet::LegChange::Silent)], 1);
      EXPECT_EQ(lab.leg_changes[1][static_cast<int>(MergeOutlet::LegChange::Silent)], 0);
    }
  }
}

TEST(MergeKillTest, thousand_flaps_lose_nothing) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 256, .max_skew = milliseconds{20}});
    // 10 Hz at 2 kpps: 50 ms down, 50 ms up.
    send_all(
        lab,
        {{.loses = [](std::uint64_t p) { return p % 200 >= 100; }}, {.delay = milliseconds{9}}},
        {.count = 200'000, .interval = microseconds{500}});
    lab.expect_exact();
    EXPECT_EQ(lab.passed(), 200'000);
  }
}

TEST(MergeKillTest, flaps_of_both_legs_in_turn_lose_nothing) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab(config_for(release));
    send_all(lab,
             {{.loses = [](std::uint64_t p) { return p % 2000 < 700; }},
              {.delay = milliseconds{20},
               .loses = [](std::uint64_t p) { return between(p % 2000, 1000, 1700); }}},
             {.first = 1900, .count = 200'000});
    lab.expect_union();
    lab.expect_balance();
    EXPECT_EQ(lab.window.totals().unrecovered, 0);
  }
}

TEST(MergeKillTest, leg_that_goes_down_leaves_the_other_unaffected) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab(config_for(release));
    send_all(lab,
             {{}, {.delay = milliseconds{5}, .loses = [](std::uint64_t p) { return p >= 5000; }}},
             {.count = 20'000});
    lab.expect_exact();
    EXPECT_EQ(lab.passed(), 20'000);
    EXPECT_LE(lab.longest_pause(), microseconds{release == MergeRelease::Playout ? 200 : 100});
    EXPECT_EQ(lab.window.leg(1).lost, 15'000);
  }
}

TEST(MergeKillTest, losses_of_the_survivor_are_given_up_without_waiting) {
  MergeLab lab(config_for(MergeRelease::Ordered));
  send_all(lab,
           {{.loses = [](std::uint64_t p) { return p > 6000 && p % 100 == 0; }},
            {.loses = [](std::uint64_t p) { return p >= 5000; }}},
           {.count = 20'000});
  lab.expect_exact();
  std::uint64_t waited = 0;
  for (const Gap& gap : lab.gaps) waited += gap.cause == GapCause::Deadline ? 1 : 0;
  EXPECT_LE(waited, 10);  // until the dead leg was known to be silent
  EXPECT_EQ(lab.gaps.size(), 139);
}

TEST(MergeKillTest, slow_stream_tells_a_silent_leg_within_two_seconds) {
  MergeLab lab({.window = 256});
  Wire wire;
  const Sending sending{.count = 1'000, .interval = milliseconds{2}};
  send(wire, lab, {{}, {.loses = [](std::uint64_t p) { return p >= 100; }}}, sending);
  wire.deliver_before(kNever, lab);
  EXPECT_EQ(lab.leg_changes[1][static_cast<int>(MergeOutlet::LegChange::Silent)], 1);
  EXPECT_EQ(lab.leg_changes[0][static_cast<int>(MergeOutlet::LegChange::Silent)], 0);
  lab.finish();
  lab.expect_exact();
}

TEST(MergeKillTest, pause_of_the_source_is_no_silence_of_a_leg) {
  MergeLab lab({.window = 256});
  Wire wire;
  const std::vector<Path> paths{{}, {.delay = milliseconds{4}}};
  const Instant end = send(wire, lab, paths, {.count = 1'000});
  const Instant again = end + std::chrono::seconds{5};
  send(wire, lab, paths, {.first = 1'000, .count = 1'000, .start = again});
  wire.deliver_before(kNever, lab);
  lab.finish();
  lab.expect_exact();
  for (unsigned leg = 0; leg < 2; ++leg) {
    EXPECT_EQ(lab.leg_changes[leg][static_cast<int>(MergeOutlet::LegChange::Silent)], 0);
  }
}

TEST(MergeKillTest, leg_that_died_before_the_start_delays_it_by_max_skew) {
  for (const MergeRelease release : {MergeRelease::Ordered, MergeRelease::Playout}) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 256});
    send_all(lab, {{}, {.loses = [](std::uint64_t) { return true; }}}, {.count = 3'000});
    lab.expect_union();
    lab.expect_balance();
    EXPECT_EQ(lab.passed(), 3'000);
    EXPECT_LE(lab.longest_stay(), milliseconds{10});
    EXPECT_EQ(lab.window.leg(1).lost, 3'000);
  }
}

TEST(MergeKillTest, outage_of_both_legs_is_one_gap) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    for (const std::uint64_t length : {50u, 300u, 5'000u, 20'000u}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(release) << ", " << length);
      MergeLab lab(config_for(release));
      const auto out = [length](std::uint64_t p) { return between(p, 5'000, 5'000 + length); };
      send_all(lab, {{.loses = out}, {.delay = milliseconds{10}, .loses = out}}, {.count = 40'000});
      lab.expect_union();
      lab.expect_balance();
      EXPECT_EQ(lab.window.totals().unrecovered, length);
      EXPECT_EQ(lab.window.totals().gap_max, length);
      EXPECT_EQ(lab.window.totals().restarts, 0);
    }
  }
}

}  // namespace
}  // namespace castgate::test
