// SPDX-License-Identifier: Apache-2.0
// What becomes of an offset when a server begins anew, is away, or carries something else.
#include <gtest/gtest.h>

#include "tests/support/offset_lab.h"

namespace castgate::test {
namespace {

using OffsetRestartTest = StreamOffsetsTest;

TEST_F(OffsetRestartTest, restarted_leg_is_withheld_until_it_is_learnt_anew) {
  for (const std::uint32_t ssrc : {0xbu, 0xcu}) {  // encoders may keep their SSRC
    SCOPED_TRACE(ssrc);
    remake({{}, {.automatic = true, .positions = 0}});
    locked_ = 0;
    send(0, kA, 0, 4'000);
    send(1, {.first = 500, .timestamp = 1, .ssrc = 0xb, .late = 3ms}, 0, 2'000);
    send(1, {.first = 33'000, .timestamp = 99, .ssrc = ssrc, .late = 3ms}, 2'100, 4'000);
    run(kA);
    ASSERT_EQ(lost_.size(), 1u);
    EXPECT_GE(lost_[0], 2'100u);
    EXPECT_LE(lost_[0], 2'100u + 3ms / kInterval + 20);
    EXPECT_EQ(locked_, 2u);
    const auto& came = admitted_[1];
    const auto again = std::ranges::lower_bound(came, 2'000u);
    ASSERT_NE(again, came.end());
    EXPECT_LE(*again, 2'100u + 2 * kMaxSkew / kInterval + 60);
    EXPECT_EQ(came.back(), 3'999u);
  }
}

TEST_F(OffsetRestartTest, restarted_reference_is_followed_once_it_is_matched) {
  for (const std::uint32_t ssrc : {0xau, 0xdu}) {
    SCOPED_TRACE(ssrc);
    remake({{}, {.automatic = true, .positions = 0}});
    const Server again{.first = 50'000, .timestamp = 1, .ssrc = ssrc, .late = 0us};
    const Server b{.first = 500, .timestamp = 1, .ssrc = 0xb, .late = 3ms};
    send(0, kA, 0, 2'000);
    send(1, b, 0, 2'000);
    run(kA);
    lost_.clear();
    admitted_.clear();
    // The old numbers go on until the new ones are known: the leg carries the stream meanwhile.
    send(0, again, 2'000, 6'000);
    send(1, b, 2'000, 6'000);
    in_order_of_time(copies_);
    bool followed = false;
    for (const LegCopy& copy : copies_) {
      PacketNumbers numbers = copy.numbers;
      const bool known = offsets_->admit(copy.leg, numbers,
                                         std::as_bytes(std::span(&copy.payload, 1)), true, copy.at);
      if (copy.leg == 0) continue;
      ASSERT_TRUE(known) << copy.index;
      followed = followed || numbers.raw == number(again, copy.index);
      ASSERT_EQ(numbers.raw, number(followed ? again : kA, copy.index));
      ASSERT_EQ(numbers.epoch, followed ? ssrc : 0xa);
      if (copy.index >= 3'000) {
        ASSERT_TRUE(followed);
      }
    }
  }
}

TEST_F(OffsetRestartTest, content_that_changes_under_the_same_numbers_unlocks) {
  const Server b{.first = 500, .timestamp = 1, .ssrc = 0xb, .late = 3ms};
  send(0, kA, 0, 4'000);
  send(1, b, 0, 2'000);
  content_ = [](unsigned index) { return std::uint64_t{1} << 40 | index; };
  send(1, b, 2'000, 4'000);
  run(kA);
  ASSERT_EQ(lost_.size(), 1u);
  EXPECT_LE(lost_[0], 2'000u + OffsetLearner::kSample + 4);
  EXPECT_LE(admitted_[1].back(), 2'000u + OffsetLearner::kSample);
}

TEST_F(OffsetRestartTest, leg_that_was_away_is_asked_before_it_goes_on) {
  const Server b{.first = 500, .timestamp = 1, .ssrc = 0xb, .late = 3ms};
  send(0, kA, 0, 4'000);
  send(1, b, 0, 2'000);
  send(1, b, 2'500, 4'000);
  run(kA);
  EXPECT_TRUE(lost_.empty());
  const auto again = std::ranges::lower_bound(admitted_[1], 2'000u);
  ASSERT_NE(again, admitted_[1].end());
  EXPECT_GE(*again, 2'503u);
  EXPECT_LE(*again, 2'510u);
}

TEST_F(OffsetRestartTest, leg_goes_on_alone_when_the_reference_is_gone) {
  const Server b{.first = 500, .timestamp = 1, .ssrc = 0xb, .late = 3ms};
  send(0, kA, 0, 2'000);
  send(1, b, 0, 3'000);
  send(1, b, 3'500, 5'000);  // was away as well, and nobody is there to ask
  run(kA);
  EXPECT_TRUE(lost_.empty());
  EXPECT_EQ(std::ranges::count_if(admitted_[1], [](unsigned i) { return i >= 2'000; }),
            1'000 + 1'500 - 16);
}

TEST_F(OffsetRestartTest, single_forged_packets_do_not_disturb) {
  const Server b{.first = 500, .timestamp = 1, .ssrc = 0xb, .late = 3ms};
  send(0, kA, 0, 3'000);
  send(1, b, 0, 3'000);
  for (unsigned i = 1'000; i < 3'000; i += 10) {
    content_ = [](unsigned index) { return std::uint64_t{2} << 40 | index; };
    send(1, {.first = 20'000 + i * 7, .timestamp = 1, .ssrc = 0xb, .late = 3ms}, i, i + 1);
    send(1, {.first = 500, .timestamp = 1, .ssrc = 0xe, .late = 3ms}, i + 5, i + 6);
  }
  run(kA);
  EXPECT_TRUE(lost_.empty());
  EXPECT_EQ(std::ranges::count_if(admitted_[1], [](unsigned i) { return i >= 1'000; }), 2'000);
}

}  // namespace
}  // namespace castgate::test
