// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <gtest/gtest.h>

#include "tests/support/merge_paths.h"

namespace castgate::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SwitchConfig kPreferA{.prefer = true, .order = {0, 1}};
constexpr SwitchConfig kAllAlike{};

MergeConfig config_for(const SwitchConfig& switching, unsigned legs = 2) {
  MergeConfig config{.window = 1024, .max_skew = milliseconds{10}, .legs = legs};
  config.choice = &switching;
  return config;
}

using Grading = std::function<Grade(const Copy&)>;

void send_graded(MergeLab& lab, const std::vector<Path>& paths, const Sending& sending,
                 const Grading& grading) {
  Wire wire;
  wire.grade_with(grading);
  send(wire, lab, paths, sending);
  wire.deliver_before(kNever, lab);
  lab.finish();
}

std::uint64_t exits_from(const MergeLab& lab, unsigned leg) {
  return static_cast<std::uint64_t>(std::ranges::count(lab.exits(), leg, &Copy::leg));
}

const std::vector<std::pair<milliseconds, milliseconds>> kDelays{
    {milliseconds{0}, milliseconds{0}},
    {milliseconds{0}, milliseconds{7}},
    {milliseconds{7}, milliseconds{0}}};

TEST(MergePreferTest, every_packet_is_the_preferred_legs_while_it_is_well) {
  for (const auto& [a, b] : kDelays) {
    SCOPED_TRACE(testing::Message() << a.count() << " " << b.count());
    MergeLab lab(config_for(kPreferA));
    lab.keep_exits();
    send_all(lab, {{.delay = a}, {.delay = b}}, {.count = 5'000});
    lab.expect_exact();
    EXPECT_EQ(exits_from(lab, 0), 5'000);
    EXPECT_EQ(lab.window.choice()->selected[0], 5'000);
    EXPECT_EQ(lab.window.choice()->selected[1], 0);
    EXPECT_EQ(lab.window.choice()->switching.switches(), 0);
  }
}

// Test 15: the secondary's share is the primary's adverse packets, no more and no less.
TEST(MergePreferTest, secondary_leaves_exactly_where_the_primary_is_adverse) {
  for (const auto& [a, b] : kDelays) {
    SCOPED_TRACE(testing::Message() << a.count() << " " << b.count());
    MergeLab lab(config_for(kPreferA));
    lab.keep_exits();
    std::set<std::uint64_t> adverse;
    auto lost = random_loss(0.01, 7);
    auto bad = random_loss(0.01, 8);
    const auto loses = [&](std::uint64_t p) {
      const bool lose = lost(p);
      if (lose) adverse.insert(p);
      return lose;
    };
    send_graded(lab, {{.delay = a, .loses = loses}, {.delay = b}}, {.count = 20'000},
                [&](const Copy& copy) {
                  if (copy.leg != 0 || !bad(copy.position)) return Grade::Good;
                  adverse.insert(copy.position);
                  return Grade::Degraded;
                });
    lab.expect_exact();
    EXPECT_GT(adverse.size(), 300);
    std::set<std::uint64_t> from_secondary;
    for (const Copy& copy : lab.exits()) {
      if (copy.leg == 1) from_secondary.insert(copy.position);
    }
    EXPECT_EQ(from_secondary, adverse);
    EXPECT_EQ(lab.window.choice()->degraded, 0);
  }
}

TEST(MergePreferTest, third_leg_stands_in_where_both_others_fail) {
  constexpr SwitchConfig kOrder{.prefer = true, .order = {1, 2, 0}};  // C, A, B
  MergeLab lab(config_for(kOrder, 3));
  lab.keep_exits();
  const auto every = [](std::uint64_t n, std::uint64_t offset) {
    return [=](std::uint64_t p) { return p % n == offset && p > 10; };
  };
  send_all(lab,
           {{.loses = every(4, 1)},
            {.delay = milliseconds{3}},
            {.delay = milliseconds{2}, .loses = every(2, 1)}},
           {.count = 4'000});
  lab.expect_exact();
  for (const Copy& copy : lab.exits()) {
    const std::uint64_t p = copy.position;
    const unsigned want = p <= 10 || p % 2 != 1 ? 2 : p % 4 == 1 ? 1 : 0;
    ASSERT_EQ(copy.leg, want) << p;
  }
}

TEST(MergePreferTest, good_copy_takes_the_place_of_a_degraded_one) {
  for (const auto& [a, b] : kDelays) {
    MergeLab lab(config_for(kAllAlike));
    lab.keep_exits();
    send_graded(lab, {{.delay = a}, {.delay = b}}, {.count = 3'000}, [](const Copy& copy) {
      return copy.position % 10 == copy.leg ? Grade::Degraded : Grade::Good;
    });
    lab.expect_exact();
    for (const Copy& copy : lab.exits()) ASSERT_EQ(copy.grade, Grade::Good) << copy.position;
    EXPECT_EQ(lab.window.choice()->degraded, 0);
  }
}

TEST(MergePreferTest, position_that_is_bad_on_every_leg_leaves_once_all_have_brought_it) {
  MergeLab lab(config_for(kAllAlike));
  lab.keep_exits();
  const milliseconds skew{4};
  send_graded(lab, {{}, {.delay = skew}}, {.count = 3'000}, [](const Copy& copy) {
    if (copy.position % 100 != 50) return Grade::Good;
    return copy.leg == 0 ? Grade::Corrupt : Grade::Degraded;
  });
  lab.expect_exact();
  EXPECT_EQ(lab.window.choice()->degraded, 30);
  EXPECT_EQ(exits_from(lab, 1), 30) << "degraded is better than corrupt";
  EXPECT_LE(lab.longest_stay(), skew);
}

TEST(MergePreferTest, equally_bad_copies_wait_for_no_further_packet) {
  MergeLab lab(config_for(kAllAlike));
  send_graded(lab, {{}, {}}, {.count = 1'000}, [](const Copy&) { return Grade::Degraded; });
  lab.expect_exact();
  EXPECT_EQ(lab.longest_stay(), Nanoseconds{0});
}

TEST(MergePreferTest, lone_leg_does_not_wait_for_a_better_copy_of_what_it_brings) {
  MergeLab lab(config_for(kAllAlike, 1));
  send_graded(lab, {{}}, {.count = 1'000}, [](const Copy&) { return Grade::Degraded; });
  lab.expect_exact();
  EXPECT_EQ(lab.longest_stay(), Nanoseconds{0});
  EXPECT_EQ(lab.window.choice()->degraded, 1'000);
}

TEST(MergePreferTest, playout_lets_the_best_copy_leave) {
  MergeConfig config = config_for(kPreferA);
  config.release = MergeRelease::Playout;
  MergeLab lab(config);
  lab.keep_exits();
  send_graded(lab, {{.delay = milliseconds{5}}, {}}, {.count = 3'000}, [](const Copy& copy) {
    return copy.leg == 0 && copy.position % 10 == 3 ? Grade::Degraded : Grade::Good;
  });
  lab.expect_exact();
  for (const Copy& copy : lab.exits()) {
    ASSERT_EQ(copy.leg, copy.position % 10 == 3 ? 1 : 0) << copy.position;
  }
}

bool between(std::uint64_t position, std::uint64_t from, std::uint64_t to) {
  return position >= from && position < to;
}

TEST(MergePreferTest, failback_waits_until_the_leg_was_well_for_so_long) {
  for (const bool revertive : {true, false}) {
    SCOPED_TRACE(revertive);
    const SwitchConfig switching{
        .prefer = true, .order = {0, 1}, .revertive = revertive, .wait_to_restore = seconds{2}};
    MergeLab lab(config_for(switching));
    lab.keep_exits();
    // 1 kpps: away from 2 s to 4 s.
    send_all(lab, {{.loses = [](auto p) { return between(p, 2'000, 4'000); }}, {}},
             {.count = 10'000, .interval = milliseconds{1}});
    lab.expect_exact();
    EXPECT_EQ(lab.window.choice()->switching.switches(), revertive ? 2 : 1);
    std::uint64_t back = 0;
    for (const Copy& copy : lab.exits()) {
      if (copy.leg == 0 && copy.position >= 4'000 && back == 0) back = copy.position;
    }
    if (!revertive) {
      EXPECT_EQ(back, 0);
    } else {
      EXPECT_GE(back, 6'000);
      EXPECT_LE(back, 6'100);
    }
  }
}

// Test 15: ten flaps a second for a minute.
TEST(MergePreferTest, flapping_leg_is_left_once_and_loses_nothing) {
  const SwitchConfig switching{.prefer = true, .order = {0, 1}, .wait_to_restore = seconds{5}};
  MergeLab lab(config_for(switching));
  send_all(lab, {{.loses = [](std::uint64_t p) { return p % 200 >= 80; }}, {}},
           {.count = 120'000, .interval = microseconds{500}});
  EXPECT_EQ(lab.passed(), 120'000);
  EXPECT_EQ(lab.window.totals().unrecovered, 0);
  EXPECT_EQ(lab.window.choice()->switching.switches(), 1);
  lab.expect_balance();
}

// 5 ms away, 5 ms there, for a minute: less than what makes a leg silent, so each packet that is
// missing comes from the other leg and nothing else does.
TEST(MergePreferTest, leg_that_flaps_every_10_ms_loses_nothing_and_switches_once_at_most) {
  const SwitchConfig switching{.prefer = true, .order = {0, 1}, .wait_to_restore = seconds{5}};
  for (const auto& [a, b] : kDelays) {
    SCOPED_TRACE(testing::Message() << a.count() << " " << b.count());
    MergeLab lab(config_for(switching));
    lab.keep_exits();
    send_all(lab,
             {{.delay = a, .loses = [](std::uint64_t p) { return p % 20 >= 10; }}, {.delay = b}},
             {.count = 120'000, .interval = microseconds{500}});
    lab.expect_exact();
    EXPECT_EQ(lab.passed(), 120'000);
    const std::uint64_t switches = lab.window.choice()->switching.switches();
    EXPECT_LE(switches, 1);
    EXPECT_GE(exits_from(lab, 1), 60'000);
  }
}

}  // namespace
}  // namespace castgate::test
