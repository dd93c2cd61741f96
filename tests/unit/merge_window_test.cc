// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/support/merge_paths.h"

namespace castgate::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(MergeWindowTest, thousand_arrival_windows_fit_four_mebibytes) {
  const MergeWindow window({.release = MergeRelease::Arrival, .window = 2048});
  EXPECT_LE(1000 * window.memory_bytes(), 4u << 20);
}

TEST(MergeWindowTest, straight_path_lives_in_one_line) {
  EXPECT_EQ(alignof(MergeWindow), 64);
}

TEST(MergeWindowTest, packet_budget_closes_the_oldest_gap) {
  for (const MergeRelease release : {MergeRelease::Ordered, MergeRelease::Playout}) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 1024, .max_skew = milliseconds{50}});
    lab.limit_held(100);
    send_all(lab,
             {{.loses = [](std::uint64_t p) { return p == 2'000; }},
              {.loses = [](std::uint64_t p) { return p >= 1'990; }}},
             {.count = 5'000});
    EXPECT_LE(lab.window.totals().held_max, 100);
    EXPECT_EQ(lab.twice() + lab.out_of_order(), 0);
    EXPECT_EQ(lab.passed(), 4'999);
    lab.expect_balance();
  }
}

// Leg A, 450 ms ahead, is away for 450 ms: when it is back, all that it brings waits for what B has
// yet to bring. As many as the budget allows are kept; where it allows them all, nothing is lost.
TEST(MergeWindowTest, outage_as_long_as_the_skew_keeps_to_the_budget) {
  for (const MergeRelease release : {MergeRelease::Ordered, MergeRelease::Playout}) {
    for (const std::uint64_t budget : {500u, 6'000u}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(release) << ", " << budget);
      const milliseconds skew{450};
      MergeLab lab({.release = release,
                    .window = 16'384,
                    .max_skew = skew + milliseconds{10},
                    .playout_delay = skew + milliseconds{10}});
      lab.limit_held(budget);
      send_all(
          lab,
          {{.loses = [](std::uint64_t p) { return p >= 10'000 && p < 14'500; }}, {.delay = skew}},
          {.count = 30'000});
      EXPECT_LE(lab.window.totals().held_max, budget);
      EXPECT_EQ(lab.twice() + lab.out_of_order(), 0);
      lab.expect_balance();
      const bool enough = budget > 5'000;
      EXPECT_EQ(lab.window.totals().held_max > 4'000, enough);
      if (enough) lab.expect_exact();
      EXPECT_EQ(lab.passed() + lab.window.totals().unrecovered, 30'000);
      EXPECT_EQ(lab.window.totals().unrecovered == 0, enough);
    }
  }
}

TEST(MergeWindowTest, gap_holds_half_the_window_at_most) {
  for (const MergeRelease release : {MergeRelease::Ordered, MergeRelease::Playout}) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 256, .max_skew = milliseconds{50}});
    send_all(lab,
             {{.loses = [](std::uint64_t p) { return p == 2'000; }},
              {.loses = [](std::uint64_t p) { return p >= 1'990; }}},
             {.count = 5'000});
    EXPECT_LE(lab.window.totals().held_max, 128);
    EXPECT_EQ(lab.twice() + lab.out_of_order(), 0);
    EXPECT_EQ(lab.passed(), 4'999);
    lab.expect_balance();
  }
}

TEST(MergeWindowTest, packet_budget_at_the_start_begins_the_stream) {
  for (const MergeRelease release : {MergeRelease::Ordered, MergeRelease::Playout}) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 1024, .max_skew = milliseconds{50}});
    lab.limit_held(20);
    send_all(lab, {{}, {.loses = [](std::uint64_t) { return true; }}}, {.count = 2'000});
    lab.expect_union();
    lab.expect_balance();
  }
}

TEST(MergeWindowTest, rate_beyond_the_window_at_the_start_loses_nothing) {
  for (const MergeRelease release : {MergeRelease::Ordered, MergeRelease::Playout}) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 256});
    send_all(lab, {{}, {.loses = [](std::uint64_t) { return true; }}},
             {.count = 20'000, .interval = microseconds{10}});
    lab.expect_union();
    lab.expect_balance();
  }
}

TEST(MergeWindowTest, malformed_packets_count_for_their_leg) {
  MergeWindow window({.legs = 3});
  window.count_malformed(0, 60);
  window.count_malformed(2, 70);
  EXPECT_EQ(window.leg_packets(0), 1);
  EXPECT_EQ(window.leg_bytes(2), 70);
}

TEST(MergeWindowTest, counters_go_beyond_thirty_two_bits) {
  for (const unsigned leg : {0u, 2u}) {
    MergeWindow window({.legs = 3});
    for (unsigned i = 0; i < 5; ++i) window.count_malformed(leg, 0xf000'0000);
    EXPECT_EQ(window.leg_bytes(leg), 5 * 0xf000'0000ull);
    EXPECT_EQ(window.leg_packets(leg), 5);
  }
}

TEST(MergeWindowTest, nothing_happens_without_packets) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release});
    EXPECT_FALSE(lab.window.wants_arming());
    lab.window.tick({5'000'000'000}, lab);
    lab.finish();
    EXPECT_EQ(lab.passed(), 0);
    EXPECT_EQ(lab.window.forwarded(), 0);
  }
}

TEST(MergeWindowTest, single_packet_leaves_at_the_end_at_the_latest) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release});
    lab.deliver({0, 77, {1'000'000'000}});
    lab.finish();
    EXPECT_EQ(lab.passed(), 1);
    lab.expect_balance();
    EXPECT_EQ(lab.window.leg(1).lost, 1);
  }
}

TEST(MergeWindowTest, candidates_leave_with_a_reason_at_the_end) {
  MergeLab lab({}, {{.epoch = 1}, {.epoch = 2}});
  for (std::uint64_t p = 0; p < 10; ++p) {
    lab.deliver({0, p, {1'000'000'000 + static_cast<std::int64_t>(p)}});
  }
  lab.deliver({1, 5, {1'000'000'100}, 1});
  lab.finish();
  EXPECT_EQ(lab.window.leg(1).other_epoch, 1);
  lab.expect_balance();
}

TEST(MergeWindowTest, idle_stream_asks_for_no_more_ticks) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release});
    Wire wire;
    send(wire, lab, std::vector<Path>(2), {.count = 1'000});
    wire.deliver_before(kNever, lab);
    lab.advance(lab.now() + std::chrono::seconds{2});
    lab.window.tick(lab.now(), lab);
    EXPECT_FALSE(lab.window.wants_arming());
    lab.finish();
    lab.expect_exact();
  }
}

}  // namespace
}  // namespace castgate::test
