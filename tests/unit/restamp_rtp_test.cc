// SPDX-License-Identifier: Apache-2.0
// restamp: {rtp: insert | strip}
#include <gtest/gtest.h>

#include "tests/support/restamp_lab.h"

namespace castgate::test {
namespace {

// Numbered messages of one each, so that the merge knows what is missing.
class RestampRtpTest : public RestampTest {
 protected:
  RestampRtpTest() {
    spec.streams.pop_back();
    spliced().failover.continuity = Continuity::Preserve;
  }
  void numbered(RtpFace face) {
    spliced().restamp.rtp = face;
    spliced().sequence.format = SequenceFormat::Generic;
    spliced().sequence.generic.position = {0, 4, false};
  }
  static Bytes numbered_body(unsigned number, std::size_t length) {
    Bytes made;
    put32(made, number);
    append(made, pattern(length - 4, number));
    return made;
  }
};

TEST_F(RestampRtpTest, inserted_header_counts_every_packet_and_the_lost_ones) {
  numbered(RtpFace::Insert);
  OneWorker worker(spec, pool(), false);
  for (unsigned i = 0; i < 100; ++i) {
    if (i == 60 || i == 61) {
      worker.now = worker.now + kStep;
    } else {
      send(worker, numbered_body(1'000 + i, 188));
    }
  }
  worker.pipeline->drain(worker.now);
  ASSERT_EQ(worker.port.sent.size(), 98u);
  const std::uint32_t began = get32(worker.port.sent[0], kPayload + 4);
  for (std::size_t i = 0; i < 98; ++i) {
    const Bytes got = payload_of(worker.port.sent[i]);
    const auto place = static_cast<unsigned>(i < 60 ? i : i + 2);
    EXPECT_EQ(get16(got, 0), 0x8021u);
    EXPECT_EQ(get16(got, 2), place);
    EXPECT_EQ(get32(got, 8), kOwn);
    EXPECT_EQ(Bytes(got.begin() + 12, got.end()), numbered_body(1'000 + place, 188));
    // What waits behind the gap leaves together; the clock is that of the departure.
    if (i < 60 || i > 70) {
      EXPECT_EQ(get32(got, 4) - began, place * kTicks) << i;
    }
  }
  expect_balance(worker);
}

TEST_F(RestampRtpTest, insert_then_strip_gives_the_same_bytes_whatever_the_output) {
  for (const bool chains : {false, true}) {
    for (const std::size_t outputs : {1u, 3u}) {
      for (const std::size_t length : {20u, 400u, 1'316u}) {
        numbered(RtpFace::Insert);
        spliced().outputs.resize(outputs, spliced().outputs[0]);
        Frame frame;
        frame.payload = numbered_body(7, length);
        OneWorker first(spec, pool(), chains);
        first.receive(frame.bytes());
        first.pipeline->drain(first.now);
        ASSERT_EQ(first.port.sent.size(), outputs);
        frame.payload = payload_of(first.port.sent.back());
        ASSERT_EQ(frame.payload.size(), length + 12);
        spliced().sequence.format = SequenceFormat::Rtp;
        spliced().restamp.rtp = RtpFace::Strip;
        OneWorker second(spec, pool(), chains);
        second.receive(frame.bytes());
        second.pipeline->drain(second.now);
        ASSERT_EQ(second.port.sent.size(), outputs);
        for (const Bytes& got : second.port.sent) {
          EXPECT_EQ(payload_of(got), numbered_body(7, length));
        }
        expect_balance(second);
      }
    }
  }
}

TEST_F(RestampRtpTest, nothing_left_behind_the_header_is_no_rtp_payload) {
  spliced().restamp.rtp = RtpFace::Strip;
  OneWorker worker(spec, pool(), false);
  send(worker, rtp_packet(1, 0, 5, pattern(50, 1)));
  send(worker, rtp_packet(2, 0, 5, {}));
  Bytes padded = rtp_packet(3, 0, 5, {1, 2, 3, 4});
  padded[0] = 0xa0;
  send(worker, padded);
  padded[3] = 4;
  padded.back() = 5;
  send(worker, padded);
  padded[3] = 5;
  padded.back() = 3;
  send(worker, padded);
  EXPECT_EQ(worker.dropped(DropReason::NoRtpPayload), 3u);
  ASSERT_EQ(worker.port.sent.size(), 2u);
  EXPECT_EQ(payload_of(worker.port.sent[0]), pattern(50, 1));
  EXPECT_EQ(payload_of(worker.port.sent[1]), Bytes({1}));
  expect_balance(worker);
}

TEST_F(RestampRtpTest, buffer_without_room_before_the_packet_is_no_headroom) {
  numbered(RtpFace::Insert);
  OneWorker worker(spec, pool(), false);
  Frame frame;
  for (const unsigned room : {11u, 12u}) {
    frame.payload = numbered_body(room, 100);
    rte_mbuf* packet = one_segment(pool(), frame.bytes());
    char* bytes = static_cast<char*>(packet->buf_addr) + room;
    std::memmove(bytes, rte_pktmbuf_mtod(packet, const char*), packet->data_len);
    packet->data_off = static_cast<std::uint16_t>(room);
    worker.receive({&packet, 1});
  }
  worker.pipeline->drain(worker.now);
  EXPECT_EQ(worker.dropped(DropReason::NoHeadroom), 1u);
  ASSERT_EQ(worker.port.sent.size(), 1u);
  EXPECT_EQ(payload_of(worker.port.sent[0]).size(), 112u);
  expect_balance(worker);
}

TEST_F(RestampRtpTest, header_that_makes_a_packet_too_long_is_the_outputs_mtu) {
  numbered(RtpFace::Insert);
  spec.ports[0].mtu = 1'000;
  OneWorker worker(spec, pool(), false);
  send(worker, numbered_body(1, 1'000 - 28 - 12));
  send(worker, numbered_body(2, 1'000 - 28 - 11));
  worker.pipeline->drain(worker.now);
  EXPECT_EQ(worker.dropped(DropReason::Mtu), 1u);
  EXPECT_EQ(worker.port.sent.size(), 1u);
}

}  // namespace
}  // namespace castgate::test
