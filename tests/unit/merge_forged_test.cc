// SPDX-License-Identifier: Apache-2.0
// Packets with the right source and a number of the forger's choice, ahead of the stream, on one
// leg. What must come out is known from the true packets alone.
#include <gtest/gtest.h>

#include "tests/support/merge_paths.h"

namespace castgate::test {
namespace {

using std::chrono::microseconds;

constexpr Nanoseconds kInterval = microseconds{100};
constexpr std::uint64_t kWindow = 512;
constexpr std::uint64_t kFarthest = kWindow / 4;  // a forgery is at most so far ahead
constexpr std::uint64_t kQuietEnd = 50;           // packets at the end without a forgery

struct Attack {
  unsigned leg = 0;          // that the forger can reach
  Nanoseconds skew{};        // of leg B behind leg A; negative: ahead
  double loss = 0;           // on either leg
  std::uint64_t every = 1;   // packets from one forgery to the next
  std::uint64_t offset = 0;  // ahead of the head; 0: each in turn
  unsigned burst = 1;        // forgeries in a row, of consecutive numbers
  std::uint64_t count = 10'000;
  std::uint64_t seed = 1;
  Nanoseconds interval = kInterval;
  std::uint64_t renewed = 0;  // packets from one change of configuration to the next; 0: none
};

Nanoseconds delay_of(unsigned leg, Nanoseconds skew) {
  return leg == 0 ? std::max(-skew, Nanoseconds{}) : std::max(skew, Nanoseconds{});
}

MergeConfig config() {
  return {.window = kWindow, .max_skew = microseconds{10'000}};
}

// Feeds the attack; each leg has a delay, forgeries take the way of theirs at a random moment
// between two packets of the source, and their numbers are ahead of what the fastest leg has shown.
void feed(const Attack& attack, MergeLab& lab) {
  Wire wire;
  std::mt19937_64 random(attack.seed);
  std::vector<Path> paths(lab.window.leg_count());
  for (unsigned leg = 0; leg < paths.size(); ++leg) {
    paths[leg].delay = delay_of(leg, attack.skew);
    paths[leg].loses = [lost = random_loss(attack.loss, attack.seed * 2 + leg)](auto p) mutable {
      return p > 3 && lost(p);
    };
  }
  std::uint64_t offset = 2;
  Instant at{1'000'000'000};
  for (std::uint64_t p = 0; p < attack.count; ++p) {
    wire.deliver_before(at, lab);
    send_one(wire, paths, {0, p, at, 0, false});
    if (p > 200 && p % attack.every == 0 && p + kQuietEnd < attack.count) {
      const std::uint64_t ahead = attack.offset != 0 ? attack.offset : offset;
      if (++offset > kFarthest) offset = 2;
      const Instant when = at + attack.interval * static_cast<int>(random() % 99) / 100;
      for (unsigned i = 0; i < attack.burst; ++i) {
        wire.put({attack.leg, p + ahead + i, when, 0, true, Grade::Good, 666});
      }
    }
    if (attack.renewed != 0 && p % attack.renewed == 0) lab.configure(config());
    at = at + attack.interval;
  }
  wire.deliver_before(kNever, lab);
  lab.finish();
}

// Every true packet that any leg brought leaves, once and in order. A forgery leaves, if at all,
// where all legs lost the true one.
void expect_nothing_lost(const Attack& attack, const MergeConfig& with = config()) {
  SCOPED_TRACE(testing::Message() << "leg " << attack.leg << ", skew " << attack.skew.count()
                                  << ", loss " << attack.loss << ", every " << attack.every
                                  << ", offset " << attack.offset << ", seed " << attack.seed);
  MergeLab lab(with);
  if (attack.loss != 0) lab.allow_forgeries();
  feed(attack, lab);
  lab.expect_union();
  lab.expect_balance();
  if (attack.loss == 0) {
    EXPECT_EQ(lab.wild_out(), 0u);
    EXPECT_EQ(lab.passed(), attack.count);
    EXPECT_TRUE(lab.gaps.empty());
    EXPECT_LE(lab.longest_pause(), 2 * attack.interval);
  }
}

constexpr Nanoseconds kSkews[] = {microseconds{0}, microseconds{50}, microseconds{-50},
                                  microseconds{3'000}, microseconds{-3'000}};

TEST(MergeForgedTest, every_offset_ahead_of_the_head_costs_nothing) {
  for (const Nanoseconds skew : kSkews) {
    for (const unsigned leg : {0u, 1u}) {
      for (const std::uint64_t every : {1000u, 100u, 10u, 3u, 1u}) {
        for (const double loss : {0.0, 0.01}) {
          const std::uint64_t count = every * kFarthest > 20'000 ? 140'000 : 20'000;
          expect_nothing_lost({leg, skew, loss, every, 0, 1, count, every + leg});
        }
      }
    }
  }
}

TEST(MergeForgedTest, one_offset_all_the_time_costs_nothing) {
  for (const Nanoseconds skew : kSkews) {
    for (const unsigned leg : {0u, 1u}) {
      for (const std::uint64_t offset : {2u, 3u, 4u, 5u, 8u, 9u, 63u, 64u, 65u, 100u, 128u}) {
        for (const double loss : {0.0, 0.01}) {
          expect_nothing_lost({leg, skew, loss, 1, offset, 1, 10'000, offset});
        }
      }
    }
  }
}

TEST(MergeForgedTest, up_to_three_forgeries_in_a_row_cost_nothing) {
  for (const Nanoseconds skew : kSkews) {
    for (const unsigned leg : {0u, 1u}) {
      for (const unsigned burst : {2u, 3u}) {
        for (const std::uint64_t offset : {2u, 3u, 7u, 64u, 100u, 0u}) {
          expect_nothing_lost({leg, skew, 0, 100, offset, burst, 20'000, offset});
        }
      }
    }
  }
}

TEST(MergeForgedTest, forgeries_of_a_preferred_leg_cost_nothing) {
  const SwitchConfig prefer{.prefer = true};
  MergeConfig with = config();
  with.choice = &prefer;
  for (const Nanoseconds skew : kSkews) {
    for (const unsigned leg : {0u, 1u}) {
      for (const std::uint64_t every : {100u, 10u, 1u}) {
        for (const std::uint64_t offset : {0u, 2u, 3u, 5u, 64u, 100u}) {
          expect_nothing_lost({leg, skew, 0, every, offset, 1, 13'000, every + leg}, with);
        }
      }
    }
  }
}

TEST(MergeForgedTest, one_leg_alone_and_a_deeper_reordering_lose_nothing) {
  for (const unsigned depth : {0u, 1u, 3u, 8u}) {
    MergeConfig with = config();
    with.reorder_depth = depth;
    for (const std::uint64_t every : {100u, 10u, 1u}) {
      for (const std::uint64_t offset : {0u, 2u, 9u, 64u, 128u}) {
        for (const unsigned legs : {1u, 2u}) {
          with.legs = legs;
          expect_nothing_lost({0, {}, 0, every, offset, 1, 13'000, every}, with);
        }
      }
    }
  }
}

TEST(MergeForgedTest, forgeries_in_a_stream_slower_than_max_skew_cost_nothing) {
  for (const unsigned legs : {1u, 2u}) {
    MergeConfig with = config();
    with.legs = legs;
    for (const std::uint64_t every : {100u, 1u}) {
      for (const std::uint64_t offset : {2u, 5u, 100u}) {
        Attack attack{0, microseconds{2'000}, 0, every, offset, 1, 2'000, offset};
        attack.interval = microseconds{20'000};
        expect_nothing_lost(attack, with);
      }
    }
  }
}

TEST(MergeForgedTest, forgeries_while_the_configuration_changes_cost_nothing) {
  for (const unsigned leg : {0u, 1u}) {
    for (const std::uint64_t offset : {0u, 2u, 50u}) {
      Attack attack{leg, microseconds{1'000}, 0, 1, offset, 1, 20'000, 3};
      attack.renewed = 37;
      expect_nothing_lost(attack);
    }
  }
}

// One forgery with the number that the leg will bring next: nothing tells it from a true packet.
TEST(MergeForgedTest, next_number_of_the_leading_leg_displaces_one_payload_and_loses_no_position) {
  for (const unsigned leg : {0u, 1u}) {
    MergeLab lab(config());
    lab.allow_forgeries();
    feed({leg, microseconds{3'000}, 0, 100, 1, 1, 10'000, 1}, lab);
    EXPECT_EQ(lab.wild_out(), leg == 0 ? 97u : 0u);
    EXPECT_EQ(lab.passed(), 10'000u);
    EXPECT_EQ(lab.window.totals().unrecovered, 0u);
    EXPECT_EQ(lab.twice() + lab.out_of_order(), 0u);
    lab.expect_balance();
  }
}

}  // namespace
}  // namespace castgate::test
