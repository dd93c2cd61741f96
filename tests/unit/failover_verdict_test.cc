// SPDX-License-Identifier: Apache-2.0
// Verdicts on real packets, from reception to transmission.
#include "tests/support/one_worker.h"

namespace castgate {
namespace {

using test::Bytes;
using test::Frame;

Bytes ts_packets(unsigned counter, bool error = false) {
  Bytes made;
  for (unsigned i = 0; i < 7; ++i) {
    Bytes packet{0x47, static_cast<std::uint8_t>(error && i == 3 ? 0x81 : 0x01), 0,
                 static_cast<std::uint8_t>(0x10 | ((7 * counter + i) & 15))};
    packet.resize(188, static_cast<std::uint8_t>(counter));
    test::append(made, packet);
  }
  return made;
}

Bytes rtp_ts(unsigned sequence, const Bytes& ts, unsigned type = 33) {
  Bytes made = test::rtp(sequence, 12);
  made[1] = static_cast<std::uint8_t>(type);
  test::append(made, ts);
  return made;
}

class FailoverVerdictTest : public test::DriverTest {
 protected:
  void build() {
    spec_.ports.resize(1);
    spec_.ports[0].verify.udp_checksum = true;
    StreamSpec& stream = spec_.streams.emplace_back(stream_);
    stream.legs.push_back({"A", 0, {}, {}, {IpAddress::v4(0xef010001), 5000}});
    stream.legs.push_back({"B", 0, {}, {}, {IpAddress::v4(0xef010002), 5000}});
    OutputSpec output;
    output.name = "out";
    output.to = {IpAddress::v4(0xef090001), 6000};
    output.source = IpAddress::v4(0x0a000009);
    stream.outputs.push_back(output);
    worker_.emplace(spec_, pool(), true);
  }
  void TearDown() override {
    worker_->pipeline->drain(worker_->now);
    const Snapshot all = worker_->counters();
    EXPECT_TRUE(all.ledger.balances());
    EXPECT_EQ(all.ledger.held, 0);
    worker_.reset();
    DriverTest::TearDown();
  }
  void send(unsigned leg, const Bytes& payload, bool corrupt = false) {
    Frame frame;
    frame.destination = {239, 1, 0, static_cast<std::uint8_t>(1 + leg)};
    frame.to_mac = {1, 0, 0x5e, 1, 0, static_cast<std::uint8_t>(1 + leg)};
    frame.payload = payload;
    Bytes bytes = frame.bytes();
    if (corrupt) bytes.back() ^= 0x10;
    worker_->receive(bytes);
  }
  StreamSnapshot stream() const {
    StreamSnapshot into;
    into.legs.resize(2);
    into.outputs.resize(1);
    worker_->pipeline->snapshot_stream(0, into);
    return into;
  }
  Bytes sent_payload(std::size_t i) const {
    const Bytes& frame = worker_->port.sent.at(i);
    return {frame.begin() + 42, frame.end()};
  }
  // Do the bytes that left carry a right UDP checksum?
  bool sums_up(std::size_t i) const {
    const Bytes& frame = worker_->port.sent.at(i);
    Bytes summed(frame.begin() + 26, frame.begin() + 34);
    test::put16(summed, 17);
    test::put16(summed, static_cast<unsigned>(frame.size() - 34));
    summed.insert(summed.end(), frame.begin() + 34, frame.end());
    return test::slow_checksum(summed) == 0;
  }

  Spec spec_;
  StreamSpec stream_;
  std::optional<test::OneWorker> worker_;
};

TEST_F(FailoverVerdictTest, transport_error_of_one_leg_leaves_as_the_others_copy) {
  stream_.verify.mpeg_ts = true;
  build();
  for (unsigned n = 0; n < 20; ++n) {
    send(0, rtp_ts(n, ts_packets(n, n % 5 == 2)));
    send(1, rtp_ts(n, ts_packets(n)));
  }
  ASSERT_EQ(worker_->port.sent.size(), 20);
  for (unsigned n = 0; n < 20; ++n) EXPECT_EQ(sent_payload(n), rtp_ts(n, ts_packets(n))) << n;
  EXPECT_EQ(stream().legs[0].degraded, 4);
  EXPECT_EQ(stream().legs[0].ts_transport_errors, 4);
  EXPECT_EQ(stream().legs[1].selected, 4);
  EXPECT_EQ(stream().degraded, 0);
  EXPECT_EQ(stream().replaced, 4);
}

TEST_F(FailoverVerdictTest, what_is_no_ts_or_of_another_type_is_dropped_by_name) {
  stream_.verify.mpeg_ts = true;
  stream_.verify.payload_type = 33;
  build();
  send(0, rtp_ts(0, ts_packets(0)));
  send(1, rtp_ts(0, ts_packets(0)));
  Bytes shifted = ts_packets(1);
  shifted[188] = 0;
  send(0, rtp_ts(1, shifted));
  send(1, rtp_ts(1, ts_packets(1)));
  send(0, rtp_ts(2, ts_packets(2), 96));
  send(1, rtp_ts(2, ts_packets(2)));
  EXPECT_EQ(worker_->port.sent.size(), 3);
  EXPECT_EQ(worker_->dropped(DropReason::NotTs), 1);
  EXPECT_EQ(worker_->dropped(DropReason::PayloadType), 1);
  EXPECT_EQ(stream().legs[0].not_ts, 1);
  EXPECT_EQ(stream().legs[0].payload_type, 1);
  EXPECT_EQ(stream().redundant, 1);
}

// Test 10: what is corrupt on one leg comes from the other, and where it is corrupt on both, one
// leaves where the file allows it, with a checksum that receivers take.
TEST_F(FailoverVerdictTest, corrupt_packets_are_used_only_where_nothing_else_came) {
  stream_.failover.corrupt = Corrupt::UseIfOnly;
  build();
  for (unsigned n = 0; n < 12; ++n) {
    send(0, test::rtp(n, 200), n == 3 || n == 7);
    send(1, test::rtp(n, 200), n == 7);
  }
  ASSERT_EQ(worker_->port.sent.size(), 12);
  for (unsigned n = 0; n < 12; ++n) {
    EXPECT_TRUE(sums_up(n)) << n;
    EXPECT_EQ(sent_payload(n) == test::rtp(n, 200), n != 7) << n;
  }
  EXPECT_EQ(stream().legs[0].corrupt, 2);
  EXPECT_EQ(stream().degraded, 1);
  EXPECT_EQ(worker_->dropped(DropReason::UdpChecksum), 0);
}

TEST_F(FailoverVerdictTest, corrupt_packets_are_dropped_unless_told_otherwise) {
  build();
  for (unsigned n = 0; n < 16; ++n) {
    send(0, test::rtp(n, 200), n == 3 || n == 7);
    send(1, test::rtp(n, 200), n == 7);
  }
  EXPECT_EQ(worker_->port.sent.size(), 15);
  EXPECT_EQ(worker_->dropped(DropReason::UdpChecksum), 3);
}

// Case 31: one position, two contents: the first leaves, and it is told.
TEST_F(FailoverVerdictTest, contents_that_differ_between_legs_are_told) {
  stream_.verify.content_check = 64;
  build();
  for (unsigned n = 0; n < 640; ++n) {
    send(0, test::rtp(n, 200));
    Bytes other = test::rtp(n, 200);
    if (n >= 320) other.back() ^= 1;
    send(1, other);
  }
  EXPECT_EQ(worker_->port.sent.size(), 640);
  EXPECT_EQ(stream().legs[1].content_mismatch, 5);
  EXPECT_EQ(sent_payload(639), test::rtp(639, 200));
}

TEST_F(FailoverVerdictTest, preferred_leg_leaves_though_the_other_comes_first) {
  stream_.failover.selection = Selection::Prefer;
  stream_.failover.order = {"B"};
  build();
  for (unsigned n = 0; n < 50; ++n) {
    Bytes marked = test::rtp(n, 200);
    marked.at(199) = 'A';
    send(0, marked);
    marked.at(199) = 'B';
    if (n != 20) send(1, marked);
  }
  ASSERT_GE(worker_->port.sent.size(), 46);
  for (std::size_t i = 0; i < 46; ++i) {
    const unsigned last = worker_->port.sent[i].back();
    EXPECT_EQ(last, i == 20 ? 'A' : 'B') << i;
  }
  EXPECT_EQ(stream().legs[1].rank, 0);
}

TEST_F(FailoverVerdictTest, locked_out_leg_is_dropped_by_name) {
  build();
  send(0, test::rtp(0, 200));
  send(1, test::rtp(0, 200));
  worker_->pipeline->command(
      {.kind = CommandKind::Leg, .leg = {.stream = 0, .leg = 0, .action = LegAction::Lockout}},
      worker_->now);
  for (unsigned n = 1; n < 10; ++n) {
    send(0, test::rtp(n, 200));
    if (n != 5) send(1, test::rtp(n, 200));
  }
  EXPECT_EQ(worker_->dropped(DropReason::LockedOut), 9);
  EXPECT_EQ(stream().legs[0].state, LegState::LockedOut);
  EXPECT_EQ(stream().legs[0].locked_out, 9);
  EXPECT_EQ(worker_->port.sent.size(), 9);
}

}  // namespace
}  // namespace castgate
