// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/support/merge_paths.h"

namespace castgate::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::uint64_t kBefore = 5'000;  // packets of the old epoch
constexpr std::uint64_t kAfter = 5'000;

// Source restarts after kBefore packets; leg B restarts `apart` later than leg A.
void run_restart(MergeRelease release, const Generation& renewed, Nanoseconds skew,
                 Nanoseconds apart) {
  SCOPED_TRACE(testing::Message() << "release " << static_cast<int>(release) << ", skew "
                                  << skew.count() << " ns, apart " << apart.count());
  MergeLab lab({.release = release,
                .window = 1024,
                .max_skew = milliseconds{50},
                .playout_delay = milliseconds{50}},
               {{.epoch = 7, .offset = 60'000}, renewed});
  Wire wire;
  const Instant restart = send(wire, lab, {{}, {.delay = skew}}, {.first = 0, .count = kBefore});
  send(wire, lab, {{}, {.delay = skew + apart}},
       {.first = 0, .count = kAfter, .start = restart, .generation = 1});
  wire.deliver_before(kNever, lab);
  lab.finish();
  lab.expect_union(0);
  lab.expect_union(1);
  lab.expect_balance();
  EXPECT_EQ(lab.passed(), kBefore + kAfter);
  EXPECT_EQ(lab.window.totals().restarts, 1);
  EXPECT_EQ(lab.window.totals().unrecovered, 0);
  ASSERT_EQ(lab.epoch_changes.size(), 1);
  // Leg B confirms with its fourth packet.
  EXPECT_LE(lab.epoch_changes[0], restart + skew + apart + 4 * microseconds{100});
}

TEST(MergeRestartTest, both_legs_restart_with_a_new_epoch_and_lose_nothing) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    for (const milliseconds skew : {milliseconds{0}, milliseconds{5}, milliseconds{30}}) {
      run_restart(release, {.epoch = 9, .offset = 12'345}, skew, milliseconds{0});
      run_restart(release, {.epoch = 9, .offset = 65'000 + 4'990}, skew, milliseconds{0});
    }
  }
}

TEST(MergeRestartTest, legs_that_restart_up_to_max_skew_apart_lose_nothing) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    run_restart(release, {.epoch = 9, .offset = 12'345}, milliseconds{0}, milliseconds{10});
    // A playout delay of max_skew leaves no room for all of it: the fourth packet tells the
    // restart.
    const milliseconds most{release == MergeRelease::Playout ? 30 : 50};
    run_restart(release, {.epoch = 9, .offset = 12'345}, milliseconds{0}, most);
    run_restart(release, {.epoch = 9, .offset = 12'345}, milliseconds{20}, most - milliseconds{20});
  }
}

TEST(MergeRestartTest, same_epoch_with_the_sequence_reset_loses_nothing) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    // 65 000 is where the old numbering ends: resets far back, a little back and far ahead.
    for (const std::uint64_t offset : {45'000u, 65'000u - 8'618u, 64'000u, 65'000u + 20'000u}) {
      SCOPED_TRACE(offset);
      MergeLab lab({.release = release, .window = 1024, .max_skew = milliseconds{20}},
                   {{.epoch = 7, .offset = 60'000}, {.epoch = 7, .offset = offset}});
      Wire wire;
      const std::vector<Path> paths{{}, {.delay = milliseconds{5}}};
      const Instant restart = send(wire, lab, paths, {.first = 0, .count = kBefore});
      send(wire, lab, paths, {.first = 0, .count = kAfter, .start = restart, .generation = 1});
      wire.deliver_before(kNever, lab);
      lab.finish();
      lab.expect_union(0);
      lab.expect_union(1);
      lab.expect_balance();
      EXPECT_LE(lab.longest_pause(), milliseconds{50});
    }
  }
}

// As an exchange does each week: 32 bits, no session, back to 1.
TEST(MergeRestartTest, numbers_of_32_bits_that_begin_at_1_again_lose_nothing) {
  for (const MergeRelease release : kReleases) {
    for (const std::uint64_t before : {2'000'000'000ull, 700'000'000ull, 6'000ull}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(release) << ", " << before);
      MergeLab lab({.release = release, .window = 1024, .max_skew = milliseconds{20}, .width = 32},
                   {{.epoch = 0, .offset = before}, {.epoch = 0, .offset = 1}});
      Wire wire;
      const std::vector<Path> paths{{.loses = random_loss(0.01, 5)}, {.delay = milliseconds{5}}};
      const Instant restart = send(wire, lab, paths, {.count = kBefore});
      send(wire, lab, {{}, {.delay = milliseconds{5}}},
           {.count = kAfter, .start = restart, .generation = 1});
      wire.deliver_before(kNever, lab);
      lab.finish();
      lab.expect_union(0);
      lab.expect_union(1);
      lab.expect_balance();
      EXPECT_EQ(lab.passed(), kBefore + kAfter);
      EXPECT_EQ(lab.window.totals().restarts, 1);
      EXPECT_LE(lab.longest_pause(), milliseconds{50});
    }
  }
}

TEST(MergeRestartTest, holes_of_the_old_epoch_are_filled_before_the_switch) {
  MergeLab lab({.window = 1024, .max_skew = milliseconds{50}},
               {{.epoch = 7}, {.epoch = 8, .offset = 900}});
  Wire wire;
  // Leg A misses one of the last packets; leg B brings it 40 ms later, in the middle of the
  // restart.
  const std::vector<Path> paths{{.loses = [](std::uint64_t p) { return p == 4'990; }},
                                {.delay = milliseconds{40}}};
  const Instant restart = send(wire, lab, paths, {.count = kBefore});
  send(wire, lab, {{}, {.delay = milliseconds{40}}},
       {.count = kAfter, .start = restart, .generation = 1});
  wire.deliver_before(kNever, lab);
  lab.finish();
  lab.expect_union(0);
  lab.expect_union(1);
  lab.expect_balance();
}

TEST(MergeRestartTest, restart_gap_is_told_in_the_old_numbering) {
  MergeLab lab({.window = 1024, .max_skew = milliseconds{50}, .legs = 1, .reorder_depth = 8},
               {{.epoch = 7}, {.epoch = 8, .offset = 900}});
  Wire wire;
  const std::vector<Path> paths{{.loses = [](std::uint64_t p) { return p == 4'997; }}};
  const Instant restart = send(wire, lab, paths, {.count = kBefore});
  send(wire, lab, {{}}, {.count = kAfter, .start = restart, .generation = 1});
  wire.deliver_before(kNever, lab);
  lab.finish();
  lab.expect_union(0);
  lab.expect_union(1);
  lab.expect_balance();
  ASSERT_EQ(lab.gaps.size(), 1);
  EXPECT_EQ(lab.gaps[0].from, 4'997);
  EXPECT_EQ(lab.gaps[0].cause, GapCause::Restart);
}

// Leg A alone changes its numbering for a while, and returns to the stream's.
void run_alone(MergeRelease release, const Generation& other) {
  SCOPED_TRACE(testing::Message() << static_cast<int>(release) << ", " << other.offset);
  MergeLab lab({.release = release, .window = 1024}, {{.epoch = 7, .offset = 60'000}, other});
  Wire wire;
  Instant at{1'000'000'000};
  for (std::uint64_t p = 0; p < 30'000; ++p) {
    wire.deliver_before(at, lab);
    // Four packets of another numbering tell it, that is the fifth is on its way.
    if (p == 10'004) {
      EXPECT_TRUE(lab.window.leg(0).diverged);
    }
    const bool astray = p >= 10'000 && p < 20'000;
    wire.put({0, p, at, astray ? 1u : 0u, false});
    wire.put({1, p, at + milliseconds{3}, 0, false});
    at = at + microseconds{100};
  }
  wire.deliver_before(kNever, lab);
  lab.finish();
  lab.expect_union(0);
  lab.expect_balance();
  EXPECT_EQ(lab.passed(), 30'000);
  EXPECT_TRUE(lab.epoch_changes.empty());
  EXPECT_EQ(lab.leg_changes[0][static_cast<int>(MergeOutlet::LegChange::Diverged)], 1);
  EXPECT_TRUE(lab.window.leg(0).live);
  EXPECT_FALSE(lab.window.leg(0).diverged);
}

TEST(MergeRestartTest, leg_that_restarts_alone_is_quarantined_and_rejoins) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    run_alone(release, {.epoch = 8, .offset = 30'000});
    run_alone(release, {.epoch = 7, .offset = 30'000});
    run_alone(release, {.epoch = 7, .offset = 60'000 + 20'000});
  }
}

TEST(MergeRestartTest, slow_stream_is_not_taken_over_by_one_leg) {
  MergeLab lab({.window = 256}, {{.epoch = 7}, {.epoch = 8}});
  Wire wire;
  Instant at{1'000'000'000};
  std::mt19937_64 random(3);
  for (std::uint64_t p = 0; p < 2'000; ++p) {
    wire.deliver_before(at, lab);
    const bool astray = p >= 500;
    wire.put({0, p, at, astray ? 1u : 0u, false});
    wire.put({1, p, at + milliseconds{random() % 15}, 0, false});
    at = at + milliseconds{20};
  }
  wire.deliver_before(kNever, lab);
  lab.finish();
  lab.expect_union(0);
  lab.expect_balance();
  EXPECT_TRUE(lab.epoch_changes.empty());
}

TEST(MergeRestartTest, second_source_in_both_legs_does_not_take_over) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    for (const unsigned per_packet : {1u, 3u}) {
      MergeLab lab({.release = release, .window = 256}, {{.epoch = 7}, {.epoch = 8}});
      Wire wire;
      Instant at{1'000'000'000};
      for (std::uint64_t p = 0; p < 10'000; ++p) {
        wire.deliver_before(at, lab);
        for (unsigned leg = 0; leg < 2; ++leg) {
          wire.put({leg, p, at, 0, false});
          for (unsigned i = 0; p >= 1'000 && i < per_packet; ++i) {
            wire.put({leg, per_packet * p + i, at, 1, false});
          }
        }
        at = at + microseconds{100};
      }
      wire.deliver_before(kNever, lab);
      lab.finish();
      lab.expect_union(0);
      lab.expect_balance();
      EXPECT_EQ(lab.passed(), 10'000);
      EXPECT_TRUE(lab.epoch_changes.empty());
    }
  }
}

TEST(MergeRestartTest, restart_after_a_leg_died_takes_epoch_hold_at_most) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 1024}, {{.epoch = 7}, {.epoch = 8}});
    Wire wire;
    const Instant restart = send(wire, lab, std::vector<Path>(2), {.count = kBefore});
    send(wire, lab, {{}, {.loses = [](std::uint64_t) { return true; }}},
         {.count = kAfter, .start = restart, .generation = 1});
    wire.deliver_before(kNever, lab);
    lab.finish();
    lab.expect_union(0);
    lab.expect_balance();
    ASSERT_EQ(lab.epoch_changes.size(), 1);
    EXPECT_LE(lab.epoch_changes[0], restart + milliseconds{20} + 4 * microseconds{100});
    // From the switch on nothing is missing.
    const auto from =
        static_cast<std::uint64_t>((lab.epoch_changes[0] - restart) / Nanoseconds{100'000});
    for (std::uint64_t p = from; p < kAfter; ++p) ASSERT_EQ(lab.times_out(p, 1), 1) << p;
  }
}

TEST(MergeRestartTest, returning_leg_brings_what_the_other_lost_of_the_new_epoch) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 1024}, {{.epoch = 7}, {.epoch = 8}});
    Wire wire;
    const Instant restart = send(
        wire, lab, {{}, {.loses = [](std::uint64_t p) { return p >= 1'000; }}}, {.count = kBefore});
    // Leg A confirms with 0, 1, 3, 4; leg B has shown 2 and 3 only.
    send(wire, lab,
         {{.loses = [](std::uint64_t p) { return p == 2; }},
          {.delay = microseconds{10}, .loses = [](std::uint64_t p) { return p < 2; }}},
         {.count = kAfter, .start = restart, .generation = 1});
    wire.deliver_before(kNever, lab);
    lab.finish();
    lab.expect_union(0);
    lab.expect_union(1);
    lab.expect_balance();
  }
}

// Its true packets are far behind the first: they are the stream's, and no restart of it.
TEST(MergeRestartTest, corrupt_first_number_of_a_leg_is_corrected_by_its_second) {
  for (const MergeRelease release : kReleases) {
    SCOPED_TRACE(static_cast<int>(release));
    MergeLab lab({.release = release, .window = 1024, .playout_delay = milliseconds{10}});
    Wire wire;
    wire.put({1, 300, Instant{1'000'000'000} + milliseconds{1}, 0, true});
    const auto first_part = [](std::uint64_t p) { return p >= 1000; };
    send(wire, lab, {{.loses = first_part}, {.delay = milliseconds{2}}}, {.count = 3000});
    wire.deliver_before(kNever, lab);
    lab.finish();
    EXPECT_EQ(lab.window.totals().restarts, 0u);
    EXPECT_EQ(lab.leg_changes[1][2], 0u) << "diverged";
    EXPECT_EQ(lab.twice(), 0u);
    for (std::uint64_t p = 0; p < 3000; ++p) {
      // In the corrupt number's own place the window has a packet already.
      ASSERT_TRUE(lab.times_out(p) == 1 || p == 300) << p;
    }
    lab.expect_balance();
  }
}

}  // namespace
}  // namespace castgate::test
