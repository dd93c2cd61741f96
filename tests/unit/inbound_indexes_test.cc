// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/srtp/inbound_indexes.h"

#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "dataplane/base/srtp/srtp_index.h"

namespace castgate {
namespace {

constexpr std::uint32_t kSsrc = 0x5eed;
constexpr Nanoseconds kStep{1'000'000};

// A receiver that is offered packets by their true index, and knows which are genuine.
class Receiver {
 public:
  explicit Receiver(unsigned window = 1'024, std::uint32_t roll_over = 0)
      : indexes(window, roll_over) {}

  // Does a genuine packet open?
  bool open(std::uint64_t index, std::uint32_t ssrc = kSsrc) {
    now = now + kStep;
    const auto guess = indexes.guess(ssrc, static_cast<std::uint16_t>(index), now);
    if (guess.is_new && guess.index == index) return indexes.commit(ssrc, index, now);
    if (guess.is_sure) return false;
    const auto others = indexes.others(ssrc, guess.index, static_cast<std::uint32_t>(tags()));
    return index < kSrtpIndexes && std::ranges::find(others, index) != others.end() &&
           indexes.commit(ssrc, index, now);
  }
  // How many are offered from `index` on until one opens.
  unsigned offered_until_open(std::uint64_t index, unsigned most) {
    for (unsigned n = 1; n <= most; ++n) {
      if (open(index + n - 1)) return n;
    }
    return most + 1;
  }
  void forge(std::uint16_t sequence, std::uint32_t ssrc = kSsrc) {
    const auto guess = indexes.guess(ssrc, sequence, now);
    if (!guess.is_sure) indexes.others(ssrc, guess.index, static_cast<std::uint32_t>(tags()));
  }

  InboundIndexes indexes;
  Instant now{1};
  std::mt19937 tags{1};
};

TEST(InboundIndexesTest, the_first_packet_is_where_it_was_told_to_be) {
  EXPECT_TRUE(Receiver().open(60'000));
  EXPECT_TRUE(Receiver(64, 7).open((7u << 16) + 3));
  EXPECT_TRUE(Receiver(64, 7).open((8u << 16) + 3)) << "or a turn further";
  EXPECT_TRUE(Receiver(64, 7).open(3)) << "or its sender began anew";
  EXPECT_FALSE(Receiver(64, 7).open((5u << 16) + 3));
}

TEST(InboundIndexesTest, in_any_order_within_the_window_each_opens_once_through_many_turns) {
  std::mt19937_64 random(3);
  Receiver receiver;
  std::set<std::uint64_t> opened;
  std::uint64_t newest = 65'000;
  ASSERT_TRUE(receiver.open(newest));
  opened.insert(newest);
  for (unsigned i = 0; i < 300'000; ++i) {
    if (random() % 3 != 0) newest += 1 + random() % 4;
    const std::uint64_t back = random() % 1'200;
    const std::uint64_t index = random() % 2 == 0 ? newest : newest - back;
    const std::uint64_t highest = *opened.rbegin();
    const bool known = index > highest || highest - index < 1'024;
    ASSERT_EQ(receiver.open(index), known && !opened.contains(index)) << index;
    if (known) opened.insert(index);
  }
  EXPECT_GT(*opened.rbegin(), 4u << 16);
}

TEST(InboundIndexesTest, what_is_forged_moves_nothing) {
  Receiver receiver(64);
  ASSERT_TRUE(receiver.open(1'000));
  for (unsigned n = 1'001; n < 3'000; ++n) {
    for (unsigned ahead = 1; ahead < 40'000; ahead += 5'000) {
      receiver.forge(static_cast<std::uint16_t>(n + ahead));
      receiver.forge(static_cast<std::uint16_t>(ahead), 77 + ahead);
    }
    ASSERT_TRUE(receiver.open(n)) << n;
  }
}

TEST(InboundIndexesTest, a_number_before_the_first_is_too_old) {
  Receiver receiver;
  ASSERT_TRUE(receiver.open(5));
  EXPECT_FALSE(receiver.open(65'530));  // it can only be of a turn before
  EXPECT_TRUE(receiver.open(3));
}

TEST(InboundIndexesTest, a_stream_that_is_joined_late_is_found_by_trying) {
  for (const std::uint64_t turns : {1u, 2u, 9u, 100u, 5'000u}) {
    Receiver receiver;
    const auto most = static_cast<unsigned>(3 * turns + 1);
    const unsigned offered = receiver.offered_until_open((turns << 16) + 100, most);
    EXPECT_LE(offered, most) << turns;
    ASSERT_TRUE(receiver.open((turns << 16) + 100 + offered));
  }
}

// Whatever comes between two genuine packets takes tries of its own.
TEST(InboundIndexesTest, who_forges_hides_no_stream) {
  for (const unsigned forgeries : {1u, 2u, 3u, 4u, 100u}) {
    for (std::uint64_t turns = 1; turns < 40; ++turns) {
      Receiver receiver;
      const auto most = static_cast<unsigned>(300 * turns);
      unsigned offered = 0;
      while (offered < most && !receiver.open((turns << 16) + 100 + offered)) {
        for (unsigned n = 0; n < forgeries; ++n) receiver.forge(static_cast<std::uint16_t>(n));
        ++offered;
      }
      EXPECT_LT(offered, most) << forgeries << ' ' << turns;
    }
  }
}

TEST(InboundIndexesTest, after_an_outage_longer_than_a_turn_it_is_found_again) {
  for (const std::uint64_t gap : {40'000u, 65'530u, 70'000u, 131'080u, 1'000'000u}) {
    Receiver receiver;
    ASSERT_TRUE(receiver.open(100));
    receiver.now = receiver.now + Nanoseconds{10'000'000'000};
    EXPECT_LE(receiver.offered_until_open(100 + gap, 110), 100u) << gap;
  }
}

TEST(InboundIndexesTest, while_a_source_is_heard_forgeries_do_not_start_a_search) {
  Receiver receiver;
  ASSERT_TRUE(receiver.open(100));
  receiver.now = receiver.now + InboundIndexes::kLost - Nanoseconds{2'000'000};
  for (unsigned n = 0; n < 101; ++n) receiver.forge(static_cast<std::uint16_t>(200 + n));
  EXPECT_TRUE(receiver.open(101));
  const auto after = [&](Nanoseconds span) {
    return receiver.indexes.guess(kSsrc, 200, receiver.now + span);
  };
  EXPECT_TRUE(after(InboundIndexes::kLost - Nanoseconds{1}).is_sure);
  EXPECT_FALSE(after(InboundIndexes::kLost).is_sure);
}

TEST(InboundIndexesTest, each_ssrc_counts_for_itself_and_a_new_one_from_zero) {
  Receiver receiver(64, 9);
  ASSERT_TRUE(receiver.open((9u << 16) + 5, 1));
  EXPECT_EQ(receiver.indexes.guess(2, 65'000, receiver.now).index, 65'000u);
  for (std::uint64_t n = 1; n < 2'000; ++n) {
    ASSERT_TRUE(receiver.open((9u << 16) + 5 + n, 1));
    ASSERT_TRUE(receiver.open(65'000 + n, 2));
    ASSERT_FALSE(receiver.open(65'000 + n, 2));
  }
}

TEST(InboundIndexesTest, a_further_ssrc_takes_the_place_of_the_longest_silent_one) {
  Receiver receiver;
  for (std::uint32_t ssrc = 1; ssrc <= InboundIndexes::kSources; ++ssrc) {
    ASSERT_TRUE(receiver.open(50, ssrc));
  }
  ASSERT_TRUE(receiver.open(51, 1));
  for (unsigned n = 0; n < 100; ++n) receiver.forge(50, 1'000 + n);
  EXPECT_FALSE(receiver.open(50, 2)) << "forgeries put nobody out";
  ASSERT_TRUE(receiver.open(50, 9));
  for (const std::uint32_t ssrc : {1u, 3u, 4u, 9u}) EXPECT_FALSE(receiver.open(50, ssrc)) << ssrc;
  EXPECT_TRUE(receiver.open(50, 2));  // forgotten
}

TEST(InboundIndexesTest, under_the_same_key_all_that_was_opened_stays_so_whatever_the_window) {
  for (const unsigned window : {64u, 256u, 1'024u}) {
    Receiver old(256);
    for (std::uint64_t n = 0; n < 900; n += 2) ASSERT_TRUE(old.open(65'000 + n));
    Receiver receiver(window);
    receiver.now = old.now;
    receiver.indexes.inherit(old.indexes);
    for (std::uint64_t n = 0; n < 900; n += 2) EXPECT_FALSE(receiver.open(65'000 + n)) << n;
    EXPECT_TRUE(receiver.open(65'000 + 897)) << window;  // in either window, and never opened
    EXPECT_FALSE(receiver.open(65'000 + 897 - 300)) << window;
    EXPECT_TRUE(receiver.open(65'900));
  }
}

TEST(InboundIndexesTest, under_another_key_the_same_ssrc_counts_on_with_nothing_opened) {
  Receiver old;
  ASSERT_TRUE(old.open(65'000));
  for (std::uint64_t n = 1; n < 200'000; ++n) ASSERT_TRUE(old.open(65'000 + n));
  Receiver receiver;
  receiver.indexes.go_on_after(old.indexes);
  EXPECT_TRUE(receiver.open(264'999));
  EXPECT_TRUE(receiver.open(265'000));
  Receiver fresh;
  fresh.indexes.go_on_after(old.indexes);
  EXPECT_TRUE(fresh.open(12, 99)) << "another SSRC begins at 0";
}

TEST(InboundIndexesTest, behind_the_last_index_nothing_opens) {
  Receiver receiver(64, 0xffffffff);
  ASSERT_TRUE(receiver.open(kSrtpIndexes - 1));
  for (unsigned n = 0; n < 100; ++n) EXPECT_FALSE(receiver.open(kSrtpIndexes + n));
}

}  // namespace
}  // namespace castgate
