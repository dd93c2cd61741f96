// SPDX-License-Identifier: Apache-2.0
// Legs of other numberings, from received frames to frames that left.
#include <gtest/gtest.h>

#include "tests/support/restamp_lab.h"

namespace castgate::test {
namespace {

class FailoverOffsetTest : public RestampTest {
 protected:
  FailoverOffsetTest() {
    spec.streams.pop_back();
    stream().failover.continuity = Continuity::Preserve;
    stream().restamp.ssrc.reset();
    stream().failover.max_rate_pps = 2'000;
    add_leg("239.1.0.2:5000");
    stream().legs[1].offset = {.automatic = true, .positions = 0};
  }
  StreamSpec& stream() { return spec.streams[0]; }

  // Payload `i` of both servers; a leg whose number is `lost` does not bring it.
  static void both(OneWorker& worker, unsigned i, unsigned lost = 2, std::uint32_t ssrc = 0xb) {
    const unsigned first = ssrc == 0xb ? 40'000 : 7;
    if (lost != 0) send(worker, rtp_packet(100 + i, i * kTicks, 0xa, pattern(50, i)));
    if (lost == 1) return;
    send(worker, rtp_packet(first + i, 77 + i * kTicks, ssrc, pattern(50, i)), {239, 1, 0, 2});
  }
  LegSnapshot learner(const OneWorker& worker) const {
    Port* ports[] = {const_cast<FakePort*>(&worker.port)};
    Snapshot made = empty_snapshot(spec, ports);
    worker.pipeline->snapshot_stream(0, made.streams[0]);
    return made.streams[0].legs[1];
  }
};

TEST_F(FailoverOffsetTest, learnt_leg_fills_what_the_reference_lost) {
  OneWorker worker(spec, pool(), false);
  for (unsigned i = 0; i < 400; ++i) both(worker, i, i >= 100 && i % 3 == 0 ? 0 : 2);
  worker.pipeline->drain(worker.now);
  ASSERT_EQ(worker.port.sent.size(), 400u);
  for (unsigned i = 0; i < 400; ++i) {
    EXPECT_EQ(payload_of(worker.port.sent[i]),
              rtp_packet(100 + i, i * kTicks, 0xa, pattern(50, i)));
  }
  const LegSnapshot leg = learner(worker);
  EXPECT_EQ(leg.state, LegState::Up);
  EXPECT_EQ(leg.offset, 100 - 40'000 + 65'536);
  EXPECT_EQ(leg.packets, 400u);
  EXPECT_EQ(leg.content_mismatch, 0u);
  EXPECT_GT(leg.offset_learning, 30u);
  EXPECT_EQ(worker.dropped(DropReason::OffsetLearning), leg.offset_learning);
  expect_balance(worker);
}

TEST_F(FailoverOffsetTest, what_is_withheld_is_counted_and_told_as_learning) {
  OneWorker worker(spec, pool(), false);
  EXPECT_EQ(learner(worker).state, LegState::Waiting);
  for (unsigned i = 0; i < 10; ++i) both(worker, i);
  EXPECT_EQ(learner(worker).state, LegState::Learning);
  EXPECT_EQ(learner(worker).offset_learning, 10u);
  EXPECT_FALSE(learner(worker).offset);
  for (unsigned i = 10; i < 100; ++i) both(worker, i);
  EXPECT_EQ(learner(worker).state, LegState::Up);
  for (unsigned i = 100; i < 110; ++i) both(worker, i, 2, 0xc);
  EXPECT_EQ(learner(worker).state, LegState::Learning);
  worker.pipeline->drain(worker.now);
  EXPECT_EQ(worker.port.sent.size(), 110u);
  expect_balance(worker);
}

TEST_F(FailoverOffsetTest, timestamps_of_its_own_clock_are_no_mismatch_of_content) {
  stream().verify.content_check = 64;
  OneWorker worker(spec, pool(), false);
  for (unsigned i = 0; i < 2'000; ++i) {
    send(worker, rtp_packet(i, i * kTicks, 0xa, pattern(50, i)));
    send(worker, rtp_packet(9 + i, i * kTicks + i % 7, 0xb, pattern(50, i)), {239, 1, 0, 2});
  }
  EXPECT_EQ(learner(worker).content_mismatch, 0u);
  EXPECT_GT(learner(worker).skew_max_ns, 0u);  // it was compared
}

TEST_F(FailoverOffsetTest, preferred_leg_may_be_the_learner) {
  stream().failover.selection = Selection::Prefer;
  stream().legs[0].name = "A";
  stream().legs[1].name = "B";
  stream().failover.order = {"B", "A"};
  OneWorker worker(spec, pool(), false);
  for (unsigned i = 0; i < 400; ++i) both(worker, i, i >= 100 && i % 5 == 0 ? 1 : 2);
  worker.pipeline->drain(worker.now);
  ASSERT_EQ(worker.port.sent.size(), 400u);
  for (unsigned i = 0; i < 400; ++i) EXPECT_EQ(get16(payload_of(worker.port.sent[i]), 2), 100 + i);
  EXPECT_GT(learner(worker).selected, 200u);
  expect_balance(worker);
}

TEST_F(FailoverOffsetTest, corrupt_copies_teach_nothing) {
  stream().failover.corrupt = Corrupt::UseIfOnly;
  spec.ports[0].verify.udp_checksum = true;
  OneWorker worker(spec, pool(), false);
  for (unsigned i = 0; i < 400; ++i) {
    both(worker, i, 1);
    Frame frame;
    frame.destination = {239, 1, 0, 2};
    frame.to_mac = {1, 0, 0x5e, 1, 0, 2};
    frame.payload = rtp_packet(40'000 + i, 77 + i * kTicks, 0xb, pattern(50, i));
    Bytes bytes = frame.bytes();
    bytes.back() ^= 1;
    worker.now = worker.now + kStep;
    worker.receive(bytes);
  }
  worker.pipeline->drain(worker.now);
  EXPECT_EQ(worker.port.sent.size(), 400u);
  EXPECT_EQ(learner(worker).offset_learning, 400u);
  expect_balance(worker);
}

}  // namespace
}  // namespace castgate::test
