// SPDX-License-Identifier: Apache-2.0
#include "dataplane/restamp/restamp_stage.h"

#include <gtest/gtest.h>

#include "tests/support/restamp_lab.h"

namespace castgate::test {
namespace {

using RestampStageTest = RestampTest;

TEST_F(RestampStageTest, restarts_of_the_source_leave_as_one_numbering) {
  for (const Release release : {Release::Arrival, Release::Ordered, Release::Playout}) {
    for (const unsigned pause : {0u, 5u, 30u}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(release) << ' ' << pause);
      spliced().failover.release = release;
      OneWorker worker(spec, pool(), false);
      for (unsigned i = 0; i < 300; ++i) {
        const unsigned epoch = i / 100;  // the third one has the SSRC of the second
        const std::uint32_t ssrc = epoch == 0 ? 1 : 2;
        const unsigned sequence = (epoch == 0 ? 65'500 : epoch == 1 ? 40'000 : 20'000) + i;
        if (i % 100 == 0 && i != 0) wait(worker, pause);
        send(worker, rtp_packet(sequence, epoch * 0x70000000 + i * kTicks, ssrc, pattern(50, i)));
      }
      worker.pipeline->drain(worker.now);
      ASSERT_EQ(worker.port.sent.size(), 300u);
      expect_one_numbering(worker, 65'500, 0, pause);
      expect_balance(worker);
    }
  }
}

// Both legs lose one of the last packets, and the first leg one more.
TEST_F(RestampStageTest, restart_while_packets_are_held_keeps_their_order_and_the_hole) {
  add_leg("239.1.0.2:5000");
  spec.streams.pop_back();
  OneWorker worker(spec, pool(), false);
  for (unsigned i = 0; i < 100; ++i) {
    const std::uint32_t ssrc = i < 50 ? 1 : 2;
    const Bytes packet = rtp_packet(i < 50 ? 100 + i : 7'000 + i, i * kTicks, ssrc, pattern(50, i));
    if (i != 45 && i != 47) send(worker, packet);
    if (i != 45) send(worker, packet, {239, 1, 0, 2});
  }
  worker.pipeline->drain(worker.now);
  ASSERT_EQ(worker.port.sent.size(), 99u);
  for (std::size_t i = 0; i < 99; ++i) {
    const Bytes got = payload_of(worker.port.sent[i]);
    const auto place = static_cast<unsigned>(i < 45 ? i : i + 1);
    EXPECT_EQ(get16(got, 2), 100 + place);
    EXPECT_EQ(Bytes(got.begin() + 12, got.end()), pattern(50, place));
  }
  expect_balance(worker);
}

TEST_F(RestampStageTest, both_halves_of_an_extended_sequence_are_spliced) {
  spliced().sequence.format = SequenceFormat::RtpExtended;
  OneWorker worker(spec, pool(), false);
  for (unsigned i = 0; i < 40; ++i) {
    const std::uint32_t sequence = (i < 20 ? 0x0005fff0 : 0xfffffff0) + i % 20;
    Bytes body;
    put16(body, sequence >> 16);
    append(body, pattern(50, i));
    send(worker, rtp_packet(sequence & 0xffff, 0, i < 20 ? 1 : 2, body));
  }
  worker.pipeline->drain(worker.now);
  ASSERT_EQ(worker.port.sent.size(), 40u);
  for (unsigned i = 0; i < 40; ++i) {
    const Bytes got = payload_of(worker.port.sent[i]);
    EXPECT_EQ(std::uint32_t{get16(got, 12)} << 16 | get16(got, 2), 0x0005fff0 + i);
  }
}

TEST_F(RestampStageTest, stream_beside_it_goes_past_untouched) {
  OneWorker worker(spec, pool(), false);
  for (unsigned i = 0; i < 20; ++i) {
    send(worker, rtp_packet(i, i, 7, pattern(50, i)));
    send(worker, rtp_packet(i, i, 7, pattern(50, i)), {239, 1, 0, 2});
  }
  ASSERT_EQ(worker.port.sent.size(), 40u);
  for (std::size_t place = 0; place < 20; ++place) {
    const auto i = static_cast<unsigned>(place);
    EXPECT_EQ(payload_of(worker.port.sent[2 * place]), rtp_packet(i, i, kOwn, pattern(50, i)));
    EXPECT_EQ(payload_of(worker.port.sent[2 * place + 1]), rtp_packet(i, i, 7, pattern(50, i)));
  }
}

TEST_F(RestampStageTest, numbers_before_the_first_of_an_epoch_are_before_epoch) {
  add_leg("239.1.0.2:5000");
  spec.streams.pop_back();
  spliced().failover.release = Release::Arrival;
  OneWorker worker(spec, pool(), false);
  for (unsigned i = 0; i < 20; ++i) send(worker, rtp_packet(i, i, 1, pattern(50, i)));
  for (unsigned i = 3; i < 7; ++i) send(worker, rtp_packet(900 + i, i, 2, pattern(50, i)));
  for (unsigned i = 0; i < 7; ++i) {
    send(worker, rtp_packet(900 + i, i, 2, pattern(50, i)), {239, 1, 0, 2});
  }
  EXPECT_EQ(worker.dropped(DropReason::BeforeEpoch), 3u);
  ASSERT_EQ(worker.port.sent.size(), 24u);
  for (unsigned i = 0; i < 24; ++i) EXPECT_EQ(get16(worker.port.sent[i], kPayload + 2), i);
  expect_balance(worker);
}

TEST_F(RestampStageTest, worker_without_such_a_stream_has_no_such_stage) {
  EXPECT_TRUE(RestampStage::is_needed(spec, {true, true}));
  EXPECT_FALSE(RestampStage::is_needed(spec, {false, true}));
  spliced().failover.continuity = Continuity::Preserve;
  EXPECT_FALSE(RestampStage::is_needed(spec, {true, true}));
  spliced().restamp.rtp = RtpFace::Strip;
  EXPECT_TRUE(RestampStage::is_needed(spec, {true, true}));
}

// The same on every appliance and after every start; another for another stream.
TEST_F(RestampStageTest, own_ssrc_is_the_keys_or_made_of_the_name) {
  EXPECT_EQ(ssrc_of(spec.streams[0]), kOwn);
  EXPECT_EQ(ssrc_of(spec.streams[1]), ssrc_of(spec.streams[1]));
  spliced().restamp.ssrc.reset();
  EXPECT_NE(ssrc_of(spec.streams[0]), ssrc_of(spec.streams[1]));
}

}  // namespace
}  // namespace castgate::test
