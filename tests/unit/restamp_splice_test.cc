// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dataplane/base/restamp/media_clock.h"
#include "dataplane/base/restamp/splicer.h"

namespace castgate::test {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint8_t kMp2t = 33;
constexpr Nanoseconds kStep = milliseconds{1};  // between two packets
constexpr std::uint32_t kTicks = 90;            // in one step, at 90 kHz

// Packets of a source, one a millisecond, and what a splicer makes of them.
struct SpliceLab {
  explicit SpliceLab(unsigned bits = 16, std::uint32_t rate = 0)
      : splicer({.sequence_bits = bits,
                 .clock_rate = rate,
                 .max_rate_pps = 10'000,
                 .max_skew = milliseconds{10}}),
        mask(bits == 16 ? 0xffffu : 0xffffffffu) {}

  // The numbers that leave, or none.
  bool send(RtpNumbers numbers, Instant at, std::uint8_t payload_type = kMp2t) {
    out = numbers;
    if (!splicer.splice(out, payload_type, at)) return false;
    out.sequence &= mask;
    return true;
  }
  // `count` packets from these numbers on; each must follow the one before.
  void run(RtpNumbers first, unsigned count) {
    for (unsigned i = 0; i < count; ++i, now = now + kStep) {
      const RtpNumbers before = out;
      ASSERT_TRUE(send({(first.sequence + i) & mask, first.timestamp + i * kTicks}, now));
      if (any) {
        ASSERT_EQ(out.sequence, (before.sequence + 1) & mask) << "packet " << i;
        ASSERT_EQ(out.timestamp, before.timestamp + kTicks) << "packet " << i;
      }
      any = true;
    }
  }

  RtpSplicer splicer;
  std::uint32_t mask;
  Instant now{seconds{100}.count()};
  RtpNumbers out;
  bool any = false;
};

TEST(RestampSplice, first_epoch_keeps_its_numbers) {
  SpliceLab lab;
  ASSERT_TRUE(lab.send({40'000, 7}, lab.now));
  EXPECT_EQ(lab.out.sequence, 40'000u);
  EXPECT_EQ(lab.out.timestamp, 7u);
  ASSERT_TRUE(lab.send({39'990, 3}, lab.now));  // release: arrival may fill what lies before
  EXPECT_EQ(lab.out.sequence, 39'990u);
}

TEST(RestampSplice, restart_goes_on_with_the_next_number_and_the_time_that_passed) {
  SpliceLab lab;
  lab.run({1'000, 5'000}, 50);
  lab.splicer.begin_epoch(lab.now);
  lab.run({62'000, 4'000'000'000}, 50);
  EXPECT_EQ(lab.out.sequence, 1'099u);
  EXPECT_EQ(lab.out.timestamp, 5'000u + 99 * kTicks);
}

TEST(RestampSplice, two_restarts_in_a_row_and_one_without_a_packet_are_no_break) {
  SpliceLab lab;
  lab.run({65'000, 0}, 50);
  lab.splicer.begin_epoch(lab.now);
  lab.run({3, 77}, 1);
  lab.splicer.begin_epoch(lab.now - seconds{1});
  lab.splicer.begin_epoch(lab.now);
  lab.run({40'000, 1u << 31}, 50);
}

TEST(RestampSplice, sixteen_bits_wrap_before_at_and_after_a_restart) {
  for (const std::uint32_t last : {65'534u, 65'535u, 0u, 1u}) {
    for (const std::uint32_t first : {65'535u, 0u, 1u, 32'768u}) {
      SpliceLab lab;
      lab.run({(last - 9) & 0xffff, 0}, 10);
      ASSERT_EQ(lab.out.sequence, last);
      lab.splicer.begin_epoch(lab.now);
      lab.run({first, 0}, 70'000);
    }
  }
}

TEST(RestampSplice, timestamp_wraps_before_at_and_after_a_restart) {
  for (const std::uint32_t last : {0xffffffffu, 0u, 89u, 0xffffffa6u}) {
    for (const std::uint32_t first : {0xffffffffu, 0u, 0x80000000u, 0xfffffff0u}) {
      SpliceLab lab;
      lab.run({5, last - 9 * kTicks}, 10);
      ASSERT_EQ(lab.out.timestamp, last);
      lab.splicer.begin_epoch(lab.now);
      lab.run({5, first}, 10);
    }
  }
}

TEST(RestampSplice, thirty_two_bits_of_sequence_go_on_in_both_halves) {
  SpliceLab lab(32);
  lab.run({0xfffffff0, 0}, 12);
  lab.splicer.begin_epoch(lab.now);
  lab.run({0x0001ffff, 0}, 12);
  EXPECT_EQ(lab.out.sequence, 7u);
}

TEST(RestampSplice, holes_of_an_epoch_stay_holes) {
  SpliceLab lab;
  lab.run({1'000, 0}, 10);
  lab.splicer.begin_epoch(lab.now);
  ASSERT_TRUE(lab.send({500, 0}, lab.now));
  EXPECT_EQ(lab.out.sequence, 1'010u);
  ASSERT_TRUE(lab.send({507, 7 * kTicks}, lab.now + 7 * kStep));
  EXPECT_EQ(lab.out.sequence, 1'017u);
  ASSERT_TRUE(lab.send({503, 3 * kTicks}, lab.now + 8 * kStep));  // late, by release: arrival
  EXPECT_EQ(lab.out.sequence, 1'013u);
}

TEST(RestampSplice, highest_number_counts_not_the_last_one) {
  SpliceLab lab;
  ASSERT_TRUE(lab.send({10, 1'000}, lab.now));
  ASSERT_TRUE(lab.send({14, 1'360}, lab.now));
  ASSERT_TRUE(lab.send({12, 1'180}, lab.now));
  lab.splicer.begin_epoch(kNever);
  ASSERT_TRUE(lab.send({9'999, 0}, lab.now));
  EXPECT_EQ(lab.out.sequence, 15u);
  EXPECT_GT(lab.out.timestamp, 1'360u);
}

// A number below the epoch's first is one that the epoch before has used.
TEST(RestampSplice, what_lies_before_the_first_of_its_epoch_is_refused) {
  SpliceLab lab;
  lab.run({1'000, 0}, 10);
  lab.splicer.begin_epoch(lab.now);
  lab.run({500, 0}, 5);
  EXPECT_FALSE(lab.send({499, 0}, lab.now));
  EXPECT_FALSE(lab.send({440, 0}, lab.now));
  EXPECT_TRUE(lab.send({500, 0}, lab.now));
  EXPECT_EQ(lab.out.sequence, 1'010u);
  lab.run({505, 5 * kTicks}, 0);
  EXPECT_TRUE(lab.send({505, 5 * kTicks}, lab.now));
  EXPECT_EQ(lab.out.sequence, 1'015u);
}

// The same SSRC, further ahead than a source can have come: the window sees a gap there.
TEST(RestampSplice, jump_that_no_loss_explains_is_numbered_anew) {
  SpliceLab lab;
  lab.run({1'000, 0}, 100);
  lab.run({21'000, 123'456}, 100);
  SpliceLab lost;
  lost.run({1'000, 0}, 100);
  lost.now = lost.now + seconds{2};  // 10 000 packets a second
  ASSERT_TRUE(lost.send({21'000, 0}, lost.now));
  EXPECT_EQ(lost.out.sequence, 21'000u);
}

TEST(RestampSplice, pause_of_the_source_shows_in_the_timestamp) {
  for (const Nanoseconds pause : {Nanoseconds{milliseconds{20}}, Nanoseconds{seconds{3}},
                                  Nanoseconds{hours{20}}, Nanoseconds{hours{1'000}}}) {
    SpliceLab lab;
    lab.run({1, 1'000}, 10);
    lab.splicer.begin_epoch(lab.now + pause);
    ASSERT_TRUE(lab.send({9, 9}, lab.now + pause + milliseconds{2}));
    const std::int64_t passed = (10 * kStep + pause).count() / 1'000 * 9 / 100;
    EXPECT_EQ(lab.out.timestamp, static_cast<std::uint32_t>(1'000 + passed));
    EXPECT_EQ(lab.out.sequence, 11u);
  }
}

// The merge kept the first packets until it believed them: that time has not passed for the media.
TEST(RestampSplice, time_until_a_restart_was_believed_does_not_count) {
  SpliceLab lab;
  lab.run({1, 0}, 10);
  lab.splicer.begin_epoch(lab.now);
  for (unsigned i = 0; i < 20; ++i) {
    const Instant left = lab.now + std::max(milliseconds{15}, milliseconds{i});
    ASSERT_TRUE(lab.send({500 + i, i * kTicks}, left));
    EXPECT_EQ(lab.out.timestamp, (10 + i) * kTicks);
  }
}

// Packets that waited behind a gap leave late; the media goes on from those that did not.
TEST(RestampSplice, old_packets_that_left_late_do_not_set_the_clock_back) {
  for (const unsigned place : {13u, 30u}) {
    SpliceLab lab;
    lab.run({1, 0}, 10);
    ASSERT_TRUE(lab.send({12, 11 * kTicks}, lab.now + milliseconds{9}));
    ASSERT_TRUE(lab.send({13, 12 * kTicks}, lab.now + milliseconds{9}));
    lab.splicer.begin_epoch(lab.now + (place - 10) * kStep);
    ASSERT_TRUE(lab.send({500, 0}, lab.now + milliseconds{25}));
    EXPECT_EQ(lab.out.timestamp, place * kTicks);
    EXPECT_EQ(lab.out.sequence, 14u);
  }
}

TEST(RestampSplice, timestamp_is_never_set_back) {
  SpliceLab lab;
  lab.run({1, 0}, 10);
  lab.splicer.begin_epoch(lab.now - seconds{1});  // a leg had been in the new epoch that long
  ASSERT_TRUE(lab.send({500, 70}, lab.now));
  EXPECT_EQ(lab.out.timestamp, 10 * kTicks);
}

// Pictures leave in another order than they are shown in: the latest counts, not the last.
TEST(RestampSplice, timestamps_out_of_order_are_no_jump) {
  for (const int came : {0, 280}) {
    SpliceLab lab;
    unsigned i = 0;
    for (const std::uint32_t shown : {0u, 10'800u, 3'600u, 7'200u, 21'600u, 14'400u, 18'000u}) {
      ASSERT_TRUE(lab.send({i, shown}, lab.now + i * milliseconds{40}));
      ++i;
    }
    lab.splicer.begin_epoch(lab.now + milliseconds{came});
    ASSERT_TRUE(lab.send({7, 0}, lab.now + milliseconds{280}));
    EXPECT_GT(lab.out.timestamp, 21'600u);
    EXPECT_LT(lab.out.timestamp, 21'600u + 15'000);
  }
}

TEST(RestampSplice, source_that_sets_its_clock_is_followed) {
  for (const std::uint32_t before : {4'000'000'000u, 1'000'000'000u}) {
    SpliceLab lab;
    lab.run({1, before}, 10);
    for (unsigned i = 0; i < 5; ++i) {
      ASSERT_TRUE(lab.send({11 + i, i * kTicks}, lab.now + i * kStep));
    }
    lab.splicer.begin_epoch(lab.now + 5 * kStep);
    ASSERT_TRUE(lab.send({900, 99}, lab.now + 5 * kStep));
    EXPECT_EQ(lab.out.timestamp, 5 * kTicks);
  }
}

// A source whose crystal is 200 ppm off: after ten minutes it is 120 ms from our clock.
TEST(RestampSplice, clock_that_drifts_does_not_add_up) {
  for (const std::uint64_t pace : {9'998u, 10'002u}) {
    SpliceLab lab;
    std::uint32_t last = 0;
    for (unsigned i = 0; i < 60'000; ++i) {
      last = static_cast<std::uint32_t>(i * 900ull * pace / 10'000);
      ASSERT_TRUE(lab.send({i & 0xffff, last}, lab.now + i * milliseconds{10}));
    }
    lab.splicer.begin_epoch(lab.now + 60'000 * milliseconds{10});
    ASSERT_TRUE(lab.send({5, 5}, lab.now + 60'000 * milliseconds{10}));
    EXPECT_NEAR(lab.out.timestamp - last, 900, 20);
  }
}

TEST(RestampSplice, clock_is_the_keys_or_the_payload_types) {
  const auto ticks_in_a_second = [](std::uint8_t payload_type, std::uint32_t rate) {
    SpliceLab lab(16, rate);
    EXPECT_TRUE(lab.send({1, 0}, lab.now, payload_type));
    lab.splicer.begin_epoch(lab.now + seconds{1});
    EXPECT_TRUE(lab.send({9, 55}, lab.now + seconds{1}, payload_type));
    return lab.out.timestamp;
  };
  EXPECT_EQ(ticks_in_a_second(0, 0), 8'000u);
  EXPECT_EQ(ticks_in_a_second(9, 0), 8'000u);
  EXPECT_EQ(ticks_in_a_second(10, 0), 44'100u);
  EXPECT_EQ(ticks_in_a_second(33, 0), 90'000u);
  EXPECT_EQ(ticks_in_a_second(96, 0), 90'000u);
  EXPECT_EQ(ticks_in_a_second(97, 48'000), 48'000u);
  EXPECT_EQ(ticks_in_a_second(10, 48'000), 48'000u);
}

}  // namespace
}  // namespace castgate::test
