// SPDX-License-Identifier: Apache-2.0
// Packets of memory through the merge of castgate-node: what two relays bring leaves once, in
// order.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "controlplane/node/stream_merge.h"
#include "tests/support/packets.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;
using test::Bytes;

class Collector final : public PacketSink {
 public:
  void write(std::span<const Payload> payloads) noexcept override {
    for (const Payload payload : payloads) {
      Bytes& one = out.emplace_back(payload.size());
      std::memcpy(one.data(), payload.data(), payload.size());
    }
  }
  std::vector<Bytes> out;
};

Bytes rtp(unsigned number, const Bytes& media, unsigned first_byte = 0x80) {
  Bytes made;
  test::put16(made, first_byte << 8 | 33);
  test::put16(made, number & 0xffff);
  test::put32(made, number * 90);
  test::put32(made, 0x1234);
  test::append(made, media);
  return made;
}

Bytes numbered(unsigned number) {
  Bytes media(100, 0x47);
  test::set16(media, 1, number);
  return media;
}

class NodeMergeTest : public testing::Test {
 protected:
  ~NodeMergeTest() override { EXPECT_EQ(store_.in_use(), 0) << "a packet was not given back"; }

  NodePacket* packet(const Bytes& bytes) {
    NodePacket* made = store_.take();
    CG_CHECK(made != nullptr);
    made->length = static_cast<std::uint32_t>(bytes.size());
    if (!bytes.empty()) std::memcpy(made->bytes.data(), bytes.data(), bytes.size());
    return made;
  }
  void bring(StreamMerge& merge, unsigned leg, const Bytes& bytes, Nanoseconds step = 1ms) {
    now_ = now_ + step;
    merge.offer(packet(bytes), leg, now_);
    merge.settle();
    merge.tick(now_);
  }
  void let_pass(StreamMerge& merge, Nanoseconds time) {
    const Instant end = now_ + time;
    while (merge.next_deadline() <= end) merge.tick(now_ = std::max(now_, merge.next_deadline()));
    now_ = end;
  }

  PacketStore store_{4096};
  Collector sink_;
  Instant now_{1'000'000'000};
};

TEST_F(NodeMergeTest, one_relay_of_two_dies_and_nothing_is_lost) {
  StreamMerge merge({.legs = 2}, store_, sink_);
  std::mt19937 random(7);
  constexpr unsigned kFirst = 65000;  // wraps
  for (unsigned i = 0; i < 2000; ++i) {
    if (i < 1000) bring(merge, 0, rtp(kFirst + i, numbered(i)), 500us);
    const bool lost = i < 900 && random() % 20 == 0;
    if (!lost) bring(merge, 1, rtp(kFirst + i, numbered(i)), 500us);
  }
  let_pass(merge, 1s);
  merge.drain(now_);
  ASSERT_EQ(sink_.out.size(), 2000);
  for (unsigned i = 0; i < 2000; ++i) EXPECT_EQ(sink_.out[i], rtp(kFirst + i, numbered(i)));
  EXPECT_EQ(merge.sums().lost, 0);
  EXPECT_EQ(merge.sums().packets, 2000);
  EXPECT_GT(merge.sums().duplicates, 900);
}

TEST_F(NodeMergeTest, what_no_relay_brings_is_lost_and_counted) {
  StreamMerge merge({.legs = 1}, store_, sink_);
  for (unsigned i = 0; i < 100; ++i) {
    if (i != 50 && i != 51) bring(merge, 0, rtp(i, numbered(i)));
  }
  let_pass(merge, 1s);
  EXPECT_EQ(merge.sums().lost, 2);
  EXPECT_EQ(merge.sums().packets, 98);
}

TEST_F(NodeMergeTest, what_comes_late_out_of_order_or_twice_is_put_right) {
  StreamMerge merge({.legs = 1}, store_, sink_);
  for (unsigned i = 0; i < 50; ++i) bring(merge, 0, rtp(i, numbered(i)));
  for (const unsigned i : {51u, 50u, 52u, 52u, 53u, 54u, 55u}) bring(merge, 0, rtp(i, numbered(i)));
  let_pass(merge, 1s);
  ASSERT_EQ(sink_.out.size(), 56);
  for (unsigned i = 0; i < 56; ++i) EXPECT_EQ(sink_.out[i], rtp(i, numbered(i)));
  EXPECT_EQ(merge.sums().lost, 0);
  EXPECT_EQ(merge.sums().duplicates, 1);
}

TEST_F(NodeMergeTest, of_rtp_only_the_media_leaves_where_a_player_reads_a_file) {
  StreamMerge merge({.legs = 1, .media = true}, store_, sink_);
  bring(merge, 0, rtp(1, numbered(1)));
  Bytes with_source = {0, 0, 0, 9};  // a CSRC
  test::append(with_source, numbered(2));
  bring(merge, 0, rtp(2, with_source, 0x81));
  Bytes padded = numbered(3);
  test::append(padded, {0, 0, 3});
  bring(merge, 0, rtp(3, padded, 0xa0));
  Bytes too_padded = numbered(4);
  test::append(too_padded, {0, 0, 200});
  bring(merge, 0, rtp(4, too_padded, 0xa0));
  let_pass(merge, 1s);
  merge.drain(now_);
  ASSERT_EQ(sink_.out.size(), 3);
  for (unsigned i = 0; i < 3; ++i) EXPECT_EQ(sink_.out[i], numbered(i + 1));
  EXPECT_EQ(merge.sums().malformed, 1);
}

TEST_F(NodeMergeTest, what_is_no_rtp_is_malformed) {
  StreamMerge merge({.legs = 1}, store_, sink_);
  bring(merge, 0, Bytes(11, 0x80));
  bring(merge, 0, Bytes(100, 0x47));
  bring(merge, 0, {});
  EXPECT_EQ(merge.sums().malformed, 3);
  EXPECT_TRUE(sink_.out.empty());
}

TEST_F(NodeMergeTest, no_more_leaves_than_was_asked_for) {
  StreamMerge merge({.legs = 1, .most = 10}, store_, sink_);
  for (unsigned i = 0; i < 30; ++i) bring(merge, 0, rtp(i, numbered(i)));
  merge.drain(now_);
  EXPECT_TRUE(merge.complete());
  EXPECT_EQ(sink_.out.size(), 10);
}

TEST_F(NodeMergeTest, streams_without_numbers_are_told_by_their_bytes) {
  for (const auto format : {SequenceFormat::Fingerprint, SequenceFormat::Generic}) {
    sink_.out.clear();
    StreamMerge merge({.format = format, .legs = 2, .seed = 99}, store_, sink_);
    for (unsigned i = 0; i < 500; ++i) {
      if (i % 10 != 3) bring(merge, 0, numbered(i));
      if (i % 10 != 7 && i < 400) bring(merge, 1, numbered(i));
      if (i >= 400 && i % 10 == 3) bring(merge, 0, numbered(i));
    }
    let_pass(merge, 1s);
    merge.drain(now_);
    ASSERT_EQ(sink_.out.size(), 500);
    for (unsigned i = 0; i < 500; ++i) EXPECT_EQ(sink_.out[i], numbered(i));
  }
}

// MoldUDP64: session, first number, count; each message its length and bytes.
Bytes mold(unsigned first, unsigned count) {
  Bytes made(10, 'S');
  test::put32(made, 0);
  test::put32(made, first);
  test::put16(made, count);
  for (unsigned i = 0; i < count; ++i) {
    test::put16(made, 4);
    test::put32(made, first + i);
  }
  return made;
}

TEST_F(NodeMergeTest, messages_that_left_are_cut_off) {
  StreamMerge merge({.format = SequenceFormat::Moldudp64, .legs = 2}, store_, sink_);
  bring(merge, 0, mold(1, 4));
  bring(merge, 1, mold(1, 2));
  bring(merge, 1, mold(3, 4));  // 5 and 6 are new
  bring(merge, 0, mold(5, 3));  // 7
  let_pass(merge, 1s);
  merge.drain(now_);
  std::vector<unsigned> numbers;
  for (const Bytes& one : sink_.out) {
    for (std::size_t at = 20; at < one.size(); at += 6) numbers.push_back(test::get16(one, at + 4));
  }
  EXPECT_EQ(numbers, (std::vector<unsigned>{1, 2, 3, 4, 5, 6, 7}));
}

TEST_F(NodeMergeTest, a_flood_of_wild_numbers_leaves_packets_for_the_next_batch) {
  StreamMerge merge({.legs = 2, .max_skew = 2s}, store_, sink_);
  std::mt19937 random(3);
  for (unsigned i = 0; i < 20'000; ++i) {
    bring(merge, i % 2, rtp(static_cast<unsigned>(random()), numbered(i)), 1us);
    ASSERT_GE(store_.available(), 64);
  }
  merge.drain(now_);
}

}  // namespace
}  // namespace castgate
