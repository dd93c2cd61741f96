// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/support/merge_paths.h"

namespace castgate::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(MergeWrapTest, sixteen_bits_wrap_with_a_skew_of_30000_packets) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    for (const unsigned skew_packets : {0u, 100u, 30'000u}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(release) << ", " << skew_packets);
      const Nanoseconds skew = skew_packets * microseconds{10};
      MergeLab lab({.release = release,
                    .window = 65'536,
                    .max_skew = milliseconds{310},
                    .playout_delay = milliseconds{310}},
                   {{.offset = 65'530}});
      // Numbers 65535, 0 and 1 of every round are missing on leg A.
      const auto around_wrap = [](std::uint64_t p) { return (p + 65'531) % 65'536 < 3; };
      send_all(lab, {{.loses = around_wrap}, {.delay = skew, .loses = random_loss(1e-3, 7)}},
               {.count = 300'000, .interval = microseconds{10}});
      lab.expect_union();
      lab.expect_balance();
      if (release != MergeRelease::Arrival) lab.expect_counters();
    }
  }
}

TEST(MergeWrapTest, wrap_of_the_sequence_is_no_loss_on_either_leg) {
  for (const unsigned leg : {0u, 1u}) {
    MergeLab lab({.window = 512}, {{.offset = 65'530}});
    std::vector<Path> paths(2);
    paths[1].delay = milliseconds{4};
    paths[leg].loses = [](std::uint64_t p) { return (p + 65'530) % 65'536 == 0; };
    send_all(lab, paths, {.count = 140'000});
    lab.expect_exact();
    EXPECT_EQ(lab.passed(), 140'000);
    EXPECT_EQ(lab.window.leg(leg).lost, 3);
  }
}

TEST(MergeWrapTest, thirty_two_bits_wrap_without_loss) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 512, .width = 32},
                 {{.offset = (1ull << 32) - 5'000}});
    send_all(lab,
             {{.loses = random_loss(0.01, 8)},
              {.delay = milliseconds{8}, .loses = random_loss(0.01, 9)}},
             {.count = 100'000});
    lab.expect_exact();
  }
}

// The leg that leads is away from before the numbers wrap until after it, then the other one.
TEST(MergeWrapTest, legs_that_die_around_the_wrap_lose_nothing) {
  for (const MergeRelease release : kReleases) {
    for (const unsigned width : {16u, 32u}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(release) << ", " << width << " bits");
      MergeLab lab({.release = release, .window = 512, .width = width},
                   {{.offset = (1ull << width) - 5'000}});
      const auto away = [](std::uint64_t around) {
        return [around](std::uint64_t p) { return p + 800 >= around && p < around + 800; };
      };
      std::vector<Path> paths{{.loses = away(5'000)}, {.delay = milliseconds{9}}};
      if (width == 16) paths[1].loses = away(5'000 + 65'536);
      send_all(lab, paths, {.count = 80'000});
      lab.expect_exact();
      EXPECT_EQ(lab.passed(), 80'000);
      EXPECT_EQ(lab.window.leg(0).lost, 1'600);
    }
  }
}

TEST(MergeWrapTest, start_at_the_very_end_of_the_range_merges) {
  for (const std::uint64_t start : {65'535u, 0u, 1u, 32'767u, 32'768u}) {
    MergeLab lab({.window = 512}, {{.offset = start}});
    send_all(lab, {{.loses = [](std::uint64_t p) { return p < 40; }}, {.delay = milliseconds{2}}},
             {.count = 1'000});
    lab.expect_union();
    EXPECT_EQ(lab.passed(), 1'000);
  }
}

// Every thousandth packet of leg A claims a position `off` away from its own.
void run_wild(MergeRelease release, std::int64_t off, std::uint64_t window) {
  SCOPED_TRACE(testing::Message() << static_cast<int>(release) << ", " << off << ", " << window);
  MergeLab lab({.release = release, .window = window, .reorder_depth = 0});
  Wire wire;
  constexpr Nanoseconds kInterval = microseconds{100};
  constexpr Nanoseconds kSkew = milliseconds{1};
  Instant at{1'000'000'000};
  for (std::uint64_t p = 30'000; p < 90'000; ++p) {
    wire.deliver_before(at, lab);
    const bool wild = p % 1000 == 700;
    wire.put({0, wild ? p + static_cast<std::uint64_t>(off) : p, at, 0, wild});
    wire.put({1, p, at + kSkew, 0, false});
    at = at + kInterval;
  }
  wire.deliver_before(kNever, lab);
  lab.finish();
  lab.expect_union();
  lab.expect_balance();
  EXPECT_EQ(lab.passed(), 60'000);
  EXPECT_EQ(lab.window.leg(0).wild_sequence, 60);
  EXPECT_EQ(lab.window.leg(0).lost, 60);
  EXPECT_EQ(lab.window.totals().recovered, 60);
  EXPECT_LE(lab.longest_pause(), kSkew + 2 * kInterval);
}

TEST(MergeWrapTest, wild_positions_neither_lose_nor_stall) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    for (const std::int64_t off : {20'000, -20'000, 200, -200, 32'768}) {
      run_wild(release, off, 512);
      run_wild(release, off, 65'536);
    }
  }
}

TEST(MergeWrapTest, two_wild_packets_in_a_row_do_not_move_the_stream) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    for (const std::uint64_t off : {20'000u, 45'000u}) {
      MergeLab lab({.release = release, .window = 512});
      Wire wire;
      Instant at{1'000'000'000};
      for (std::uint64_t p = 0; p < 10'000; ++p) {
        wire.deliver_before(at, lab);
        const bool wild = p % 1000 == 700 || p % 1000 == 701;
        wire.put({0, wild ? p + off : p, at, 0, wild});
        wire.put({1, p, at + milliseconds{1}, 0, false});
        at = at + microseconds{100};
      }
      wire.deliver_before(kNever, lab);
      lab.finish();
      lab.expect_union();
      lab.expect_balance();
      EXPECT_EQ(lab.passed(), 10'000);
    }
  }
}

}  // namespace
}  // namespace castgate::test
