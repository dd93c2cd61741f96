// SPDX-License-Identifier: Apache-2.0
// What is learnt of a leg of another server.
#include "dataplane/base/offset/stream_offsets.h"

#include <gtest/gtest.h>

#include "tests/support/offset_lab.h"

namespace castgate::test {
namespace {

TEST_F(StreamOffsetsTest, leg_of_another_server_is_numbered_as_the_reference) {
  const Server b{.first = 40'000, .timestamp = 0xfffffff0, .ssrc = 0xb, .late = 1ms};
  send(0, kA, 0, 1'000);
  send(1, b, 0, 1'000);
  run(kA);
  EXPECT_GE(begins(1), 2 * kMaxSkew / kInterval);  // 16 more after twice max_skew
  EXPECT_LE(begins(1), 2 * kMaxSkew / kInterval + 32);
  EXPECT_EQ(admitted_[1].size(), 1'000u - begins(1));
  EXPECT_EQ(admitted_[0].size(), 1'000u);
  EXPECT_EQ(offsets_->view(1).offset, 100 - 40'000 + 65'536);
  EXPECT_EQ(locked_, 1u);
  EXPECT_TRUE(lost_.empty());
}

TEST_F(StreamOffsetsTest, loss_skew_either_way_and_wraps_do_not_matter) {
  loss_percent_ = 1;
  for (const auto late : {-10'000us, -9'000us, -100us, 0us, 50us, 9'000us, 10'000us}) {
    for (const std::uint32_t first : {0u, 1u, 99u, 101u, 65'000u, 65'535u, 32'868u}) {
      SCOPED_TRACE(testing::Message() << late.count() << " us, from " << first);
      random_.seed(first + 1);
      remake({{}, {.automatic = true, .positions = 0}});
      const Server a{.first = 65'400, .timestamp = 1, .ssrc = 0xa, .late = 10ms};
      const Server b{.first = first, .timestamp = 77, .ssrc = 0xb, .late = 10ms + late};
      send(0, a, 0, 3'000);
      send(1, b, 0, 3'000);
      run(a);
      EXPECT_LE(begins(1), 2 * kMaxSkew / kInterval + 200);
      EXPECT_GE(admitted_[1].size(), 2'500u);
      EXPECT_TRUE(lost_.empty());
    }
  }
}

TEST_F(StreamOffsetsTest, leg_beyond_max_skew_is_not_believed) {
  for (const auto late : {-11ms, 11ms}) {
    remake({{}, {.automatic = true, .positions = 0}});
    const Server a{.first = 0, .timestamp = 0, .ssrc = 0xa, .late = 20ms};
    const Server b{.first = 7, .timestamp = 0, .ssrc = 0xb, .late = 20ms + late};
    send(0, a, 0, 2'000);
    send(1, b, 0, 2'000);
    run(a);
    EXPECT_TRUE(admitted_[1].empty());
  }
}

TEST_F(StreamOffsetsTest, other_content_never_locks) {
  const Server b{.first = 100, .timestamp = 5'000, .ssrc = 0xa, .late = 1ms};
  send(0, kA, 0, 20'000);
  content_ = [](unsigned index) { return std::uint64_t{1} << 40 | index; };
  send(1, b, 0, 20'000);
  run(kA);
  EXPECT_TRUE(admitted_[1].empty());
  EXPECT_EQ(locked_, 0u);
  EXPECT_FALSE(offsets_->view(1).offset);
}

TEST_F(StreamOffsetsTest, identical_payloads_prove_nothing) {
  const Server b{.first = 4'000, .timestamp = 0, .ssrc = 0xb, .late = 1ms};
  for (const unsigned period : {1u, 2u, 20u, 90u, 150u}) {
    SCOPED_TRACE(period);
    remake({{}, {.automatic = true, .positions = 0}});
    static unsigned every;
    every = period;
    content_ = [](unsigned index) { return std::uint64_t{index % every} + 1; };
    // The leg is as if ahead of, or behind, where it truly is by any number of periods.
    for (const auto late : {-9ms, 0ms, 9ms}) {
      const Server a{.first = 100, .timestamp = 0, .ssrc = 0xa, .late = 10ms};
      const Server late_b{b.first, 0, b.ssrc, 10ms + late};
      remake({{}, {.automatic = true, .positions = 0}});
      send(0, a, 0, 4'000);
      send(1, late_b, 0, 4'000);
      run(a);
      EXPECT_TRUE(admitted_[1].empty());
    }
  }
}

TEST_F(StreamOffsetsTest, null_packets_between_do_not_keep_it_from_learning) {
  content_ = [](unsigned index) {
    return index * 2'654'435'761u % 20 == 0 ? 1 : std::uint64_t{index} + 2;  // 5 %, irregularly
  };
  loss_percent_ = 1;
  const Server b{.first = 9, .timestamp = 3, .ssrc = 0xb, .late = -2ms};
  send(0, kA, 0, 5'000);
  send(1, b, 0, 5'000);
  run(kA);
  EXPECT_LE(begins(1), 2 * kMaxSkew / kInterval + 100);
  EXPECT_GE(admitted_[1].size(), 4'500u);
  EXPECT_TRUE(lost_.empty());
}

TEST_F(StreamOffsetsTest, timestamps_of_a_clock_that_drifts_are_followed) {
  std::int64_t furthest = 0;
  for (unsigned i = 0; i < 60'000; ++i) {
    const Instant at = Instant{1'000'000'000} + i * Nanoseconds{kInterval};
    const std::uint64_t payload = i + 1;
    const auto bytes = std::as_bytes(std::span(&payload, 1));
    PacketNumbers a{i & 0xffff, 1, i * 9};
    PacketNumbers b{(i + 77) & 0xffff, 2, 1'000 + i * 9 + i / 1'000};  // 111 ppm
    ASSERT_TRUE(offsets_->admit(0, a, bytes, true, at));
    if (!offsets_->admit(1, b, bytes, true, at + 1ms)) continue;
    furthest = std::max<std::int64_t>(furthest, static_cast<std::int32_t>(b.timestamp - i * 9));
  }
  EXPECT_GT(furthest, 0);
  EXPECT_LE(furthest, 16);
}

TEST_F(StreamOffsetsTest, known_offsets_move_numbers_and_nothing_else) {
  remake({{}, {.automatic = false, .positions = -1'200}, {.automatic = false, .positions = 40}});
  EXPECT_FALSE(offsets_->any_learns());
  PacketNumbers moved{100, 9, 8};
  ASSERT_TRUE(offsets_->admit(1, moved, {}, true, {}));
  EXPECT_EQ(moved, (PacketNumbers{65'536 - 1'100, 9, 8}));
  moved = {65'530, 9, 8};
  ASSERT_TRUE(offsets_->admit(2, moved, {}, true, {}));
  EXPECT_EQ(moved, (PacketNumbers{34, 9, 8}));
  EXPECT_EQ(offsets_->view(1).offset, -1'200);
}

TEST_F(StreamOffsetsTest, reload_keeps_what_was_learnt_where_the_leg_goes_on) {
  const Server b{.first = 40'000, .timestamp = 7, .ssrc = 0xb, .late = 1ms};
  for (const bool same : {true, false}) {
    remake({{}, {.automatic = true, .positions = 0}});
    send(0, kA, 0, 1'000);
    send(1, b, 0, 1'000);
    run(kA);
    StreamOffsets old = std::move(*offsets_);
    // The leg is the first one now.
    remake({{.automatic = true, .positions = 0}, {}});
    Inherited from;
    from.leg = {1, 0};
    from.numbers = same;
    offsets_->take_over(old, from);
    EXPECT_EQ(offsets_->view(0).offset.has_value(), same);
    EXPECT_EQ(old.view(1).offset.has_value(), !same);
  }
}

TEST_F(StreamOffsetsTest, numbers_of_any_width_are_learnt) {
  for (const unsigned width : {16u, 24u, 32u, 64u}) {
    remake({{}, {.automatic = true, .positions = 0}}, width);
    const Server a{.first = 0xfffffff0, .timestamp = 0, .ssrc = 0, .late = 0us};
    const Server b{.first = 12, .timestamp = 0, .ssrc = 0, .late = 1ms};
    send(0, a, 0, 1'000);
    send(1, b, 0, 1'000);
    for (LegCopy& copy : copies_) copy.numbers.timestamp = 0;
    in_order_of_time(copies_);
    for (const LegCopy& copy : copies_) {
      PacketNumbers numbers = copy.numbers;
      if (!offsets_->admit(copy.leg, numbers, std::as_bytes(std::span(&copy.payload, 1)), true,
                           copy.at)) {
        continue;
      }
      ASSERT_EQ(numbers.raw, number(a, copy.index)) << width;
      admitted_[copy.leg].push_back(copy.index);
    }
    EXPECT_GE(admitted_[1].size(), 700u) << width;
  }
}

TEST_F(StreamOffsetsTest, legs_that_do_not_speak_for_the_stream_teach_nothing) {
  for (unsigned i = 0; i < 2'000; ++i) {
    const std::uint64_t payload = i + 1;
    const auto bytes = std::as_bytes(std::span(&payload, 1));
    const Instant at = Instant{1'000'000'000} + i * Nanoseconds{kInterval};
    PacketNumbers a{i, 1, 0};
    PacketNumbers b{i + 77, 2, 0};
    ASSERT_TRUE(offsets_->admit(0, a, bytes, false, at));
    ASSERT_FALSE(offsets_->admit(1, b, bytes, false, at));
  }
}

}  // namespace
}  // namespace castgate::test
