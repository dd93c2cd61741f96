// SPDX-License-Identifier: Apache-2.0
// An operator's orders to the legs of a stream.
#include <gtest/gtest.h>

#include "tests/support/merge_paths.h"

namespace castgate::test {
namespace {

using std::chrono::milliseconds;

constexpr SwitchConfig kPreferA{.prefer = true, .order = {0, 1}};
constexpr SwitchConfig kAllAlike{};

MergeConfig config_for(const SwitchConfig& switching) {
  MergeConfig config{.window = 1024, .max_skew = milliseconds{10}};
  config.choice = &switching;
  return config;
}

bool between(std::uint64_t position, std::uint64_t from, std::uint64_t to) {
  return position >= from && position < to;
}

TEST(MergeOrdersTest, locked_out_leg_brings_nothing_until_cleared) {
  for (const SwitchConfig* switching : {&kPreferA, &kAllAlike}) {
    MergeLab lab(config_for(*switching));
    lab.keep_exits();
    Wire wire;
    const std::vector<Path> paths{{}, {.delay = milliseconds{3}}};
    Instant at = send(wire, lab, paths, {.count = 2'000});
    lab.command(0, LegAction::Lockout);
    at = send(wire, lab, paths, {.first = 2'000, .count = 2'000, .start = at});
    const std::size_t locked = lab.exits().size();
    lab.command(0, LegAction::Clear);
    send(wire, lab, paths, {.first = 4'000, .count = 2'000, .start = at});
    wire.deliver_before(kNever, lab);
    lab.finish();
    lab.expect_union();
    lab.expect_balance();
    EXPECT_EQ(lab.passed(), 6'000);
    EXPECT_EQ(lab.window.leg(0).locked_out, 2'000);
    EXPECT_EQ(lab.window.totals().unrecovered, 0);
    for (std::size_t i = 2'000; i < locked; ++i) ASSERT_EQ(lab.exits()[i].leg, 1) << i;
    EXPECT_EQ(lab.exits().back().leg, 0);
  }
}

TEST(MergeOrdersTest, lockout_works_where_all_copies_are_alike_and_in_every_release) {
  for (const MergeRelease release :
       {MergeRelease::Arrival, MergeRelease::Ordered, MergeRelease::Playout}) {
    MergeLab lab({.release = release, .window = 1024, .max_skew = milliseconds{10}});
    lab.keep_exits();
    Wire wire;
    const std::vector<Path> paths{{}, {.delay = milliseconds{3}}};
    const Instant at = send(wire, lab, paths, {.count = 2'000});
    lab.command(0, LegAction::Lockout);
    send(wire, lab, paths, {.first = 2'000, .count = 2'000, .start = at});
    wire.deliver_before(kNever, lab);
    lab.finish();
    lab.expect_union();
    lab.expect_balance();
    EXPECT_EQ(lab.passed(), 4'000);
    EXPECT_EQ(lab.exits().back().leg, 1);
  }
}

// What was kept before the verdict on its leg came gives way as well.
TEST(MergeOrdersTest, copy_kept_before_its_leg_was_locked_out_is_replaced) {
  MergeLab lab(config_for(kAllAlike));
  lab.keep_exits();
  Wire wire;
  const auto lose_100 = [](std::uint64_t p) { return p == 100; };
  const std::vector<Path> paths{{.loses = lose_100}, {.delay = milliseconds{5}}};
  const Instant at = send(wire, lab, paths, {.count = 130});
  ASSERT_GT(lab.window.held(), 20) << "A waits behind 100, which B has yet to bring";
  lab.command(0, LegAction::Lockout);
  send(wire, lab, paths, {.first = 130, .count = 100, .start = at});
  wire.deliver_before(kNever, lab);
  lab.finish();
  lab.expect_union();
  EXPECT_EQ(lab.passed(), 230);
  for (const Copy& copy : lab.exits()) ASSERT_EQ(copy.leg, copy.position < 100 ? 0 : 1);
}

TEST(MergeOrdersTest, forced_leg_is_preferred_though_it_fails_manual_one_is_not) {
  for (const LegAction action : {LegAction::Forced, LegAction::Manual}) {
    MergeLab lab(config_for(kPreferA));
    Wire wire;
    const std::vector<Path> paths{{}, {.loses = [](auto p) { return between(p, 3'000, 6'000); }}};
    Instant at = send(wire, lab, paths, {.count = 1'000});
    lab.command(1, action);
    EXPECT_EQ(lab.window.choice()->switching.preferred(), 1);
    at = send(wire, lab, paths, {.first = 1'000, .count = 4'000, .start = at});
    const bool forced = action == LegAction::Forced;
    EXPECT_EQ(lab.window.choice()->switching.preferred(), forced ? 1 : 0);
    at = send(wire, lab, paths, {.first = 5'000, .count = 3'000, .start = at});
    lab.command(1, LegAction::Clear);
    EXPECT_EQ(lab.window.choice()->switching.preferred(), 0);
    send(wire, lab, paths, {.first = 8'000, .count = 100, .start = at});
    wire.deliver_before(kNever, lab);
    lab.finish();
    lab.expect_exact();
    EXPECT_EQ(lab.passed(), 8'100);
  }
}

TEST(MergeOrdersTest, contents_that_differ_are_counted) {
  MergeConfig config{.window = 1024, .max_skew = milliseconds{10}};
  config.content_check = 64;
  MergeLab lab(config);
  for (std::uint64_t p = 0; p < 6'400; ++p) {
    const Instant at{static_cast<std::int64_t>(1'000'000'000 + p * 100'000)};
    const bool differs = p >= 3'200;
    lab.deliver({.leg = 0, .position = p, .at = at, .content = p + 1});
    lab.deliver({.leg = 1, .position = p, .at = at, .content = differs ? p + 2 : p + 1});
  }
  lab.finish();
  EXPECT_EQ(lab.window.leg(1).content_mismatch, 50);
  EXPECT_EQ(lab.window.leg(0).content_mismatch, 0);
  lab.expect_exact();
}

}  // namespace
}  // namespace castgate::test
