// SPDX-License-Identifier: Apache-2.0
// Is what an ICMP error quotes a packet that was sent? The quotes are of packets summed by the
// tests' own arithmetic.
#include "dataplane/replicate/sent_log.h"

#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/quoted.h"

namespace castgate::test {
namespace {

using std::chrono::milliseconds;

class SentLogTest : public testing::Test {
 protected:
  struct Sent {
    Frame received;
    Frame copy;  // as the client gets it
  };
  Sent send(const Bytes& payload, bool with_sum = true, bool to_v6 = false) {
    Sent sent;
    sent.received.payload = payload;
    sent.received.udp_sum = with_sum;
    sent.copy = sent.received;
    sent.copy.source = {10, 9, 0, 1};
    sent.copy.destination = {10, 9, 0, 7};
    sent.copy.v6 = to_v6;
    if (to_v6) {
      sent.copy.udp_sum = true;  // without one it must not leave
      sent.copy.source = {0x20, 1, 0xd, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
      sent.copy.destination = {0x20, 1, 0xd, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
    }
    sent.copy.source_port = 5000;
    sent.copy.destination_port = 6000;
    const Bytes frame = sent.received.bytes();
    const PacketTag tag{.stream = 0, .leg = 0, .worker = 0, .udp_at = 34, .l3_at = 14, .flags = 0};
    log_->note(read_headers(frame.data(), tag), payload, now_);
    return sent;
  }
  std::optional<SentPacket> find(const Sent& sent, std::size_t bytes) const {
    return find(sent, quote_of(sent.copy.udp(), bytes));
  }
  std::optional<SentPacket> find(const Sent& sent, const QuotedPacket& quote) const {
    Bytes pseudo = sent.copy.source;
    append(pseudo, sent.copy.destination);
    put16(pseudo, sent.copy.source_port);
    put16(pseudo, sent.copy.destination_port);
    const std::uint16_t sum = std::byteswap(static_cast<std::uint16_t>(~slow_checksum(pseudo)));
    return log_->find(quote, sum, sent.copy.v6, now_);
  }
  Bytes random_payload(std::size_t length) {
    Bytes made(length);
    for (auto& byte : made) byte = static_cast<std::uint8_t>(random_());
    return made;
  }

  std::unique_ptr<SentLog> log_ = std::make_unique<SentLog>();
  std::mt19937 random_{7};
  Instant now_{1'000'000'000};
};

TEST_F(SentLogTest, whatever_was_sent_is_found_by_its_checksum_and_by_its_begin) {
  for (unsigned n = 0; n < 3'000; ++n) {
    const Sent sent = send(random_payload(n % 40), true, n % 3 == 0);
    const auto begun = find(sent, 576);
    ASSERT_TRUE(begun) << n;
    EXPECT_TRUE(begun->certain);
    EXPECT_EQ(begun->number, n);
    const auto header = find(sent, 8);
    ASSERT_TRUE(header) << n;
    EXPECT_EQ(header->certain, n % 40 == 0) << "without payload nothing is missing";
  }
}

TEST_F(SentLogTest, sum_that_is_all_ones_or_nothing_is_found) {
  unsigned rare = 0;
  for (unsigned n = 0; n < 0x10000; ++n) {
    Bytes payload(12, 1);
    set16(payload, 2, n);
    const Sent sent = send(payload);
    const unsigned sum = get16(sent.copy.udp(), 6);
    if (sum != 0xffff && sum != 1) continue;
    ++rare;
    EXPECT_TRUE(find(sent, 8)) << n;
    EXPECT_TRUE(find(sent, 16)) << n;
  }
  EXPECT_GE(rare, 2u);
}

TEST_F(SentLogTest, whatever_was_not_sent_is_not_found) {
  const Sent sent = send(random_payload(1'316));
  const QuotedPacket true_one = quote_of(sent.copy.udp(), 16);
  ASSERT_TRUE(find(sent, true_one));
  for (unsigned sum = 0; sum < 0x10000; ++sum) {
    QuotedPacket other = true_one;
    other.udp_checksum = static_cast<std::uint16_t>(sum);
    EXPECT_EQ(find(sent, other).has_value(), sum == true_one.udp_checksum) << sum;
  }
  for (unsigned bit = 0; bit < 64; ++bit) {
    QuotedPacket other = true_one;
    other.begin[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_FALSE(find(sent, other)) << bit;
  }
  QuotedPacket longer = true_one;
  ++longer.udp_length;
  EXPECT_FALSE(find(sent, longer));
  Sent elsewhere = sent;
  elsewhere.copy.destination[3] = 8;
  EXPECT_FALSE(find(elsewhere, true_one)) << "the checksum is of another client's packet";
}

TEST_F(SentLogTest, packet_without_checksum_is_told_by_its_begin_alone) {
  const Sent four = send(random_payload(188), false);
  const Sent six = send(random_payload(188), false, true);
  for (const Sent& sent : {four, six}) {
    EXPECT_TRUE(find(sent, 16));
    EXPECT_FALSE(find(sent, 15)) << "too little is quoted";
    EXPECT_FALSE(find(sent, 8));
  }
  QuotedPacket invented = quote_of(four.copy.udp(), 16);
  invented.udp_checksum = 0x1234;
  EXPECT_FALSE(find(four, invented));
}

TEST_F(SentLogTest, after_two_seconds_a_packet_is_forgotten) {
  const Sent old = send(random_payload(100));
  now_ = now_ + milliseconds(1'990);
  EXPECT_TRUE(find(old, 16));
  const Sent fresh = send(random_payload(100));
  now_ = now_ + milliseconds(20);
  EXPECT_FALSE(find(old, 16));
  EXPECT_FALSE(find(old, 8));
  EXPECT_TRUE(find(fresh, 16));
  now_ = now_ - milliseconds(30);  // read a moment before the packet was sent
  EXPECT_TRUE(find(fresh, 16));
}

TEST_F(SentLogTest, fast_stream_is_known_as_far_as_there_is_room) {
  const Sent first = send(random_payload(100));
  for (unsigned n = 0; n + 1 < SentLog::kPackets; ++n) send(Bytes(100, 3));
  EXPECT_TRUE(find(first, 16));
  send(Bytes(100, 3));
  EXPECT_FALSE(find(first, 16));
}

}  // namespace
}  // namespace castgate::test
