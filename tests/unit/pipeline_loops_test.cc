// SPDX-License-Identifier: Apache-2.0
// Two appliances in a ring: each has the other's output as a leg. Nothing may live in there.
#include "tests/support/one_worker.h"

namespace castgate {
namespace {

using std::chrono::milliseconds;
using test::Bytes;
using test::Frame;
using test::OneWorker;

constexpr std::uint32_t kSource = 0xef010001;                             // 239.1.0.1
constexpr std::array<std::uint32_t, 2> kOutputs{0xef090001, 0xef090002};  // 239.9.0.1, .2
constexpr unsigned kTtl = 8;
constexpr unsigned kPayloads = 50;

Spec box(unsigned index, SequenceFormat format, Release release, std::uint8_t ttl) {
  Spec spec;
  spec.ports.emplace_back();
  StreamSpec& stream = spec.streams.emplace_back();
  stream.sequence.format = format;
  stream.failover.release = release;
  stream.failover.reorder_depth = 0;
  stream.legs.push_back({"A", 0, {}, {}, {IpAddress::v4(kSource), 5000}});
  stream.legs.push_back({"B", 0, {}, {}, {IpAddress::v4(kOutputs[1 - index]), 5000}});
  OutputSpec output;
  output.to = {IpAddress::v4(kOutputs[index]), 5000};
  output.source = IpAddress::v4(0x0a000001u + index);
  output.ttl = ttl;
  stream.outputs.push_back(output);
  return spec;
}

Bytes from_source(const Bytes& payload) {
  Frame frame;
  frame.destination = {239, 1, 0, 1};
  frame.ttl = kTtl;
  frame.payload = payload;
  return frame.bytes();
}

class PipelineLoopsTest : public test::DriverTest, public testing::WithParamInterface<Release> {
 protected:
  struct Ring {
    Ring(SequenceFormat format, Release release, std::uint8_t ttl, rte_mempool* pool)
        : boxes{OneWorker(box(0, format, release, ttl), pool, false),
                OneWorker(box(1, format, release, ttl), pool, false)} {}

    // What one sent is received by the other, `behind` later, until nothing is on its way or
    // `most` packets went round.
    void turn(std::chrono::nanoseconds behind, std::uint64_t most) {
      for (bool moving = true; moving && passed < most;) {
        moving = false;
        for (unsigned from = 0; from < 2; ++from) {
          wait(behind);
          for (const Bytes& frame : std::exchange(boxes[from].port.sent, {})) {
            boxes[1 - from].receive(frame);
            ++passed;
            moving = true;
          }
        }
      }
    }
    void wait(Nanoseconds span) {
      for (OneWorker& one : boxes) {
        for (const Instant end = one.now + span; one.now < end;) {
          one.now = std::min(end, std::max(one.now, one.pipeline->next_deadline()));
          if (one.pipeline->next_deadline() <= one.now) one.pipeline->tick(one.now);
          one.pipeline->flush();
        }
      }
    }
    void end() {
      for (OneWorker& one : boxes) {
        one.pipeline->drain(one.now);
        EXPECT_TRUE(one.counters().ledger.balances());
        EXPECT_EQ(one.counters().ledger.held, 0u);
      }
    }

    std::array<OneWorker, 2> boxes;
    std::uint64_t passed = 0;  // from one to the other
  };
};

// Both have the source: the other's copies are redundant.
TEST_P(PipelineLoopsTest, copies_that_come_round_at_once_are_redundant) {
  Ring ring(SequenceFormat::Fingerprint, GetParam(), 0, pool());
  for (unsigned i = 0; i < kPayloads; ++i) {
    const Bytes frame = from_source(test::pattern(188, i));
    for (OneWorker& one : ring.boxes) one.receive(frame);
    ring.turn(milliseconds{1}, 10'000);
  }
  EXPECT_EQ(ring.passed, 2 * kPayloads);
  for (const OneWorker& one : ring.boxes) {
    EXPECT_EQ(one.dropped(DropReason::Redundant), kPayloads);
    EXPECT_EQ(one.dropped(DropReason::TtlExpired), 0u);
  }
  ring.end();
}

// The way round takes longer than payloads are remembered: only the TTL ends it.
TEST_P(PipelineLoopsTest, copies_that_come_round_late_end_by_their_ttl) {
  Ring ring(SequenceFormat::Fingerprint, GetParam(), 0, pool());
  for (unsigned i = 0; i < kPayloads; ++i) {
    ring.boxes[0].receive(from_source(test::pattern(188, i)));
  }
  ring.turn(milliseconds{50}, 10'000);
  EXPECT_EQ(ring.passed, kPayloads * (kTtl - 1));
  EXPECT_EQ(
      ring.boxes[0].dropped(DropReason::TtlExpired) + ring.boxes[1].dropped(DropReason::TtlExpired),
      kPayloads);
  ring.end();
}

// Why `ttl: decrement` is the default: the same ring with a TTL of its own never ends.
TEST_P(PipelineLoopsTest, fixed_ttl_keeps_late_copies_alive) {
  Ring ring(SequenceFormat::Fingerprint, GetParam(), 16, pool());
  ring.boxes[0].receive(from_source(test::pattern(188)));
  ring.turn(milliseconds{50}, 1'000);
  EXPECT_GE(ring.passed, 1'000u);
  ring.end();
}

TEST_P(PipelineLoopsTest, numbered_positions_that_come_round_are_duplicates) {
  Ring ring(SequenceFormat::Rtp, GetParam(), 16, pool());
  for (unsigned i = 0; i < kPayloads; ++i) {
    ring.boxes[0].receive(from_source(test::rtp(i, 188)));
  }
  ring.turn(milliseconds{50}, 10'000);
  EXPECT_LE(ring.passed, 2 * kPayloads);
  EXPECT_GE(ring.passed, kPayloads);
  ring.end();
}

INSTANTIATE_TEST_SUITE_P(releases, PipelineLoopsTest,
                         testing::Values(Release::Arrival, Release::Ordered));

}  // namespace
}  // namespace castgate
