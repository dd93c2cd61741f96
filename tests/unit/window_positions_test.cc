// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dataplane/contract/spec.h"

namespace castgate {
namespace {

std::uint64_t positions(const FailoverSpec& failover) {
  StreamSpec stream;
  stream.failover = failover;
  return window_positions(stream);
}

TEST(WindowPositionsTest, window_holds_twice_what_is_in_flight) {
  // 100 000 packets a second for 10 ms are 1000; twice that, as a power of two.
  EXPECT_EQ(positions({.max_skew = Nanoseconds{10'000'000}, .max_rate_pps = 100'000}), 2048);
}

TEST(WindowPositionsTest, slow_stream_keeps_a_smallest_window) {
  EXPECT_EQ(positions({.max_skew = Nanoseconds{1'000'000}, .max_rate_pps = 50}), 256);
}

TEST(WindowPositionsTest, playout_delay_counts_where_it_is_longer) {
  FailoverSpec spec{.max_skew = Nanoseconds{10'000'000},
                    .max_rate_pps = 100'000,
                    .playout_delay = Nanoseconds{40'000'000}};
  EXPECT_EQ(positions(spec), 2048);
  spec.release = Release::Playout;
  EXPECT_EQ(positions(spec), 8192);
}

TEST(WindowPositionsTest, messages_have_room_for_a_packet_full_of_them) {
  StreamSpec stream;
  stream.failover = {.max_skew = Nanoseconds{1'000'000}, .max_rate_pps = 50};
  stream.sequence.format = SequenceFormat::Moldudp64;
  EXPECT_EQ(window_positions(stream), 4096);
  stream.sequence.format = SequenceFormat::Generic;
  EXPECT_EQ(window_positions(stream), 256);
  stream.sequence.generic.count.width = 2;
  EXPECT_EQ(window_positions(stream), 4096);
}

TEST(WindowPositionsTest, absurd_rates_do_not_overflow) {
  EXPECT_EQ(positions({.max_skew = Nanoseconds{INT64_MAX}, .max_rate_pps = UINT64_MAX}),
            1ull << 40);
}

}  // namespace
}  // namespace castgate
