// SPDX-License-Identifier: Apache-2.0
// Merging packets of several messages: each leg packs them in its own way, and what must come out
// is known from what was delivered alone.
#include "tests/support/range_lab.h"

namespace castgate::test {
namespace {

using std::chrono::microseconds;

TEST(MergeRange, each_message_leaves_once_and_in_order_however_the_legs_pack_it) {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    std::mt19937_64 random(seed);
    const auto plans = any_plans(random);
    MergeConfig config = range_config(MergeRelease::Ordered);
    config.legs = static_cast<unsigned>(plans.size());
    RangeLab lab(config, seed % 5 == 0 ? UINT64_MAX - 200 : random());
    for (const Packet& packet : schedule(plans, 500, seed)) lab.deliver(packet);
    lab.finish();
    ASSERT_EQ(lab.messages(), lab.all_delivered()) << "seed " << seed;
    ASSERT_EQ(lab.window.forwarded(), lab.all_delivered().size()) << "seed " << seed;
    ASSERT_EQ(lab.window.totals().unrecovered, 501 - lab.all_delivered().size()) << "seed " << seed;
  }
}

TEST(MergeRange, arrival_sends_each_message_once_and_at_once) {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    std::mt19937_64 random(seed);
    const auto plans = any_plans(random);
    MergeConfig config = range_config(MergeRelease::Arrival);
    config.legs = static_cast<unsigned>(plans.size());
    RangeLab lab(config, random());
    for (const Packet& packet : schedule(plans, 500, seed)) lab.deliver(packet);
    lab.finish();
    auto messages = lab.messages();
    std::ranges::sort(messages);
    ASSERT_EQ(messages, lab.all_delivered()) << "seed " << seed;
    ASSERT_EQ(lab.window.forwarded(), messages.size()) << "seed " << seed;
  }
}

TEST(MergeRange, untrimmed_packets_leave_whole_and_only_with_something_new) {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    std::mt19937_64 random(seed);
    const auto plans = any_plans(random);
    MergeConfig config =
        range_config(seed % 2 == 0 ? MergeRelease::Ordered : MergeRelease::Arrival, false);
    config.legs = static_cast<unsigned>(plans.size());
    RangeLab lab(config, random());
    for (const Packet& packet : schedule(plans, 500, seed)) lab.deliver(packet);
    lab.finish();
    std::set<std::uint64_t> seen;
    for (const Packet& packet : lab.out) {
      const std::size_t before = seen.size();
      for (std::uint64_t m = 0; m < packet.count; ++m) seen.insert(packet.first + m);
      ASSERT_TRUE(packet.count == 0 || seen.size() > before) << "seed " << seed;
    }
    ASSERT_EQ(std::vector(seen.begin(), seen.end()), lab.all_delivered()) << "seed " << seed;
    ASSERT_EQ(lab.copied, 0u);
  }
}

TEST(MergeRange, single_messages_and_packets_of_ten_are_one_stream) {
  const std::vector<LegPlan> plans{{.most = 1, .loss = 0.05},
                                   {.most = 10, .delay = microseconds{700}, .loss = 0.05}};
  RangeLab lab(range_config(MergeRelease::Ordered));
  for (const Packet& packet : schedule(plans, 20'000, 17)) lab.deliver(packet);
  lab.finish();
  EXPECT_EQ(lab.messages(), lab.all_delivered());
  EXPECT_GT(lab.window.totals().trimmed, 100u);
  for (unsigned leg = 0; leg < 2; ++leg) {
    EXPECT_GT(lab.window.leg(leg).lost, 300u) << "positions, not packets";
    EXPECT_EQ(lab.window.leg(leg).duplicate_same_leg, 0u);
  }
}

TEST(MergeRange, lost_counts_messages_that_a_leg_did_not_bring) {
  RangeLab lab(range_config(MergeRelease::Ordered));
  for (std::uint64_t m = 0; m < 200; m += 10) {
    const auto when = at(static_cast<std::int64_t>(m) * 20);
    if (m != 50 && m != 70) lab.deliver({0, m, 10, when});
    if (m != 70) lab.deliver({1, m, 10, when});
  }
  lab.finish();
  EXPECT_EQ(lab.window.leg(0).lost, 20u);
  EXPECT_EQ(lab.window.leg(1).lost, 10u);
  EXPECT_EQ(lab.window.totals().recovered, 10u);
  EXPECT_EQ(lab.window.totals().unrecovered, 10u);
  ASSERT_EQ(lab.gaps.size(), 1u);
  EXPECT_EQ(lab.gaps[0], (std::pair<std::uint64_t, std::uint64_t>{1070, 1079}));
}

TEST(MergeRange, counters_are_what_the_legs_brought_and_lost) {
  for (const auto release : {MergeRelease::Ordered, MergeRelease::Arrival}) {
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(release) << ", seed " << seed);
      std::mt19937_64 random(seed);
      const auto plans = any_plans(random);
      MergeConfig config = range_config(release);
      config.legs = static_cast<unsigned>(plans.size());
      RangeLab lab(config, random());
      for (const Packet& packet : schedule(plans, 500, seed)) lab.deliver(packet);
      lab.finish();
      const std::uint64_t given_up = 501 - lab.all_delivered().size();
      std::uint64_t recovered = 0;
      for (unsigned leg = 0; leg < plans.size(); ++leg) {
        ASSERT_EQ(lab.window.leg(leg).lost, 501 - lab.brought(leg)) << leg;
        ASSERT_EQ(lab.window.leg(leg).reordered, 0u) << leg;
        recovered += 501 - lab.brought(leg) - given_up;
      }
      ASSERT_EQ(lab.window.totals().unrecovered, given_up);
      ASSERT_EQ(lab.window.totals().recovered, recovered);
      ASSERT_EQ(lab.window.totals().trimmed, lab.cut_off());
    }
  }
}

TEST(MergeRange, packets_of_a_leg_that_change_places_are_counted_and_leave_in_order) {
  for (const auto release : {MergeRelease::Ordered, MergeRelease::Arrival}) {
    RangeLab lab(range_config(release));
    for (std::uint64_t m = 0; m < 400; m += 4) {
      const auto when = static_cast<std::int64_t>(m) * 20;
      const bool early = m % 40 == 20;  // the one behind it overtakes it
      lab.deliver({0, early ? m + 4 : m % 40 == 24 ? m - 4 : m, 4, at(when)});
      lab.deliver({1, m, 4, at(when + 5)});
    }
    lab.finish();
    auto messages = lab.messages();
    if (release == MergeRelease::Arrival) std::ranges::sort(messages);
    EXPECT_EQ(messages, lab.all_delivered());
    EXPECT_EQ(lab.window.leg(0).reordered, 10u);
    EXPECT_EQ(lab.window.leg(1).reordered, 0u);
  }
}

TEST(MergeRange, packet_with_one_message_that_was_given_up_is_late_after_release) {
  RangeLab lab(range_config(MergeRelease::Ordered));
  for (unsigned leg : {0u, 1u}) lab.deliver({leg, 0, 10, at(0)});
  lab.deliver({0, 11, 9, at(200)});
  lab.deliver({1, 10, 3, at(30'000)});  // 10 was given up, 11 and 12 have left
  lab.deliver({1, 13, 3, at(30'100)});  // nothing new
  lab.finish();
  EXPECT_EQ(lab.window.leg(1).late_after_release, 1u);
  EXPECT_EQ(lab.window.totals().unrecovered, 1u);
}

TEST(MergeRange, numbers_of_64_bits_may_begin_anywhere_and_wrap) {
  for (const std::uint64_t first :
       {std::uint64_t{0}, (std::uint64_t{1} << 63) - 10, UINT64_MAX - 10}) {
    RangeLab lab(range_config(MergeRelease::Ordered), first);
    for (std::uint64_t m = 0; m < 300; m += 3) {
      const auto when = at(static_cast<std::int64_t>(m) * 20);
      if (m != 9) lab.deliver({0, m, 3, when});
      if (m != 12 && m != 9) lab.deliver({1, m, 3, when});
    }
    lab.finish();
    EXPECT_EQ(lab.messages(), lab.all_delivered());
    ASSERT_EQ(lab.gaps.size(), 1u);
    EXPECT_EQ(lab.gaps[0].first, first + 9);
    EXPECT_EQ(lab.gaps[0].second, first + 11);
  }
}

TEST(MergeRange, heartbeat_is_no_message_and_leaves_once_for_both_legs) {
  for (const auto release : {MergeRelease::Ordered, MergeRelease::Arrival}) {
    RangeLab lab(range_config(release));
    for (unsigned leg : {0u, 1u}) lab.deliver({leg, 0, 5, at(leg)});
    for (std::int64_t second = 1; second <= 3; ++second) {
      lab.deliver({0, 5, 0, at(second * 1'000'000)});
      if (second != 2) lab.deliver({1, 5, 0, at(second * 1'000'000 + 300)});
    }
    lab.deliver({0, 5, 2, at(4'000'000)});
    lab.deliver({1, 5, 2, at(4'000'300)});
    lab.finish();
    EXPECT_EQ(lab.messages(), (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(lab.heartbeats(), 3u);
    EXPECT_EQ(lab.window.forwarded(), 7u);
    EXPECT_EQ(lab.window.totals().unrecovered, 0u);
  }
}

TEST(MergeRange, heartbeat_tells_of_messages_lost_at_the_tail) {
  for (const auto release : {MergeRelease::Ordered, MergeRelease::Arrival}) {
    RangeLab lab(range_config(release));
    for (unsigned leg : {0u, 1u}) lab.deliver({leg, 0, 5, at(leg)});
    // Messages 5 to 8 are lost on both: nothing follows but heartbeats.
    for (unsigned leg : {0u, 1u}) lab.deliver({leg, 9, 0, at(1'000'000 + leg)});
    lab.advance(at(1'011'000));
    ASSERT_EQ(lab.gaps.size(), 1u) << "known max_skew after the first heartbeat";
    EXPECT_EQ(lab.gaps[0], (std::pair<std::uint64_t, std::uint64_t>{1005, 1008}));
    EXPECT_EQ(lab.heartbeats(), 1u);
    for (unsigned leg : {0u, 1u}) lab.deliver({leg, 9, 1, at(2'000'000 + leg)});
    lab.finish();
    EXPECT_EQ(lab.messages(), (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 9}));
    EXPECT_EQ(lab.window.totals().unrecovered, 4u);
    for (unsigned leg : {0u, 1u}) EXPECT_EQ(lab.window.leg(leg).lost, 4u);
  }
}

TEST(MergeRange, message_that_a_heartbeat_announced_comes_from_the_slower_leg) {
  RangeLab lab(range_config(MergeRelease::Ordered));
  for (unsigned leg : {0u, 1u}) lab.deliver({leg, 0, 5, at(leg)});
  lab.deliver({0, 7, 0, at(1000)});  // A lost 5 and 6, and is already silent
  lab.deliver({1, 5, 2, at(3000)});
  lab.deliver({1, 7, 0, at(4000)});
  lab.finish();
  EXPECT_EQ(lab.messages(), (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(lab.heartbeats(), 1u);
  EXPECT_TRUE(lab.gaps.empty());
  EXPECT_EQ(lab.out.back().count, 0) << "behind the messages that it follows";
}

TEST(MergeRange, gap_behind_a_heartbeat_waits_for_its_own_time) {
  RangeLab lab(range_config(MergeRelease::Ordered));
  for (const unsigned leg : {0u, 1u}) lab.deliver({leg, 0, 5, at(leg)});
  lab.deliver({0, 7, 0, at(1000)});  // 5 and 6 are lost on both
  lab.deliver({0, 8, 1, at(9500)});  // 7 on A alone
  lab.deliver({1, 7, 2, at(15'000)});
  lab.finish();
  EXPECT_EQ(lab.messages(), (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 7, 8}));
  EXPECT_EQ(lab.window.totals().unrecovered, 2u);
}

TEST(MergeRange, jump_over_many_messages_is_confirmed_by_the_next_packet) {
  MergeConfig config = range_config(MergeRelease::Ordered);
  config.legs = 1;
  RangeLab lab(config);
  for (std::uint64_t m = 0; m < 4000; m += 40) {
    if (m < 1000 || m >= 1200) lab.deliver({0, m, 40, at(static_cast<std::int64_t>(m) * 20)});
  }
  lab.finish();
  EXPECT_EQ(lab.messages(), lab.all_delivered());
  EXPECT_EQ(lab.window.totals().restarts, 0u);
  EXPECT_EQ(lab.window.totals().unrecovered, 200u);
}

TEST(MergeRange, end_of_session_leaves_once) {
  RangeLab lab(range_config(MergeRelease::Ordered));
  for (unsigned leg : {0u, 1u}) lab.deliver({leg, 0, 5, at(leg)});
  for (std::int64_t i = 0; i < 30; ++i) {
    for (unsigned leg : {0u, 1u}) lab.deliver({leg, 5, Located::kEnd, at(1000 + 1000 * i)});
  }
  lab.finish();
  EXPECT_EQ(std::ranges::count(lab.out, Located::kEnd, &Packet::count), 1);
  EXPECT_EQ(lab.out.size(), 2u);
}

TEST(MergeRange, next_session_begins_anew) {
  RangeLab lab(range_config(MergeRelease::Ordered));
  for (std::uint32_t session : {1u, 2u}) {
    for (std::uint64_t m = 0; m < 200; m += 4) {
      const auto when = at(static_cast<std::int64_t>(m) * 20 + 100'000 * std::int64_t{session});
      for (unsigned leg : {0u, 1u}) lab.deliver({leg, m, 4, when, session});
    }
  }
  lab.finish();
  for (std::uint32_t session : {1u, 2u}) {
    EXPECT_EQ(lab.messages(session), lab.all_delivered(session)) << session;
  }
  EXPECT_EQ(lab.window.totals().restarts, 1u);
}

TEST(MergeRange, dead_leg_delays_nothing_after_it_left) {
  RangeLab lab(range_config(MergeRelease::Ordered));
  for (std::uint64_t m = 0; m < 20'000; m += 4) {
    const auto when = at(static_cast<std::int64_t>(m) * 20);
    if (m < 5000) lab.deliver({0, m, 4, when});
    lab.deliver({1, m, 4, when + microseconds{500}});
  }
  lab.finish();
  EXPECT_EQ(lab.messages(), lab.all_delivered());
  EXPECT_EQ(lab.messages().size(), 20'000u);
}

TEST(MergeRange, budget_of_packets_is_kept_and_told) {
  RangeLab lab(range_config(MergeRelease::Ordered));
  lab.limit_held(20);
  for (std::uint64_t m = 0; m < 2000; m += 2) {
    const auto when = at(static_cast<std::int64_t>(m) * 5);
    if (m != 500) lab.deliver({0, m, 2, when});
    if (m < 300) lab.deliver({1, m, 2, when});  // then silent, but not yet given up
    EXPECT_LE(lab.held(), 20u);
  }
  lab.finish();
  EXPECT_EQ(lab.messages(), lab.all_delivered());
  EXPECT_EQ(lab.window.totals().unrecovered, 2u);
}

}  // namespace
}  // namespace castgate::test
