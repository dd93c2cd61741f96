// SPDX-License-Identifier: Apache-2.0
// Bytes and values from one thread to another.
#include <numeric>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/base/byte_ring.h"
#include "dataplane/base/value_ring.h"

namespace castgate {
namespace {

std::vector<std::byte> pattern(std::size_t length, unsigned seed) {
  std::vector<std::byte> bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::byte>(i * 31 + seed);
  return bytes;
}

TEST(ByteRingTest, pieces_that_wrap_come_out_as_they_went_in) {
  ByteRing ring(64);
  for (unsigned turn = 0; turn < 1000; ++turn) {
    const std::size_t length = 1 + turn % 64;  // every offset meets every length
    const auto in = pattern(length, turn);
    ASSERT_EQ(ring.room(), 64u);
    ring.write(std::span(in).first(length / 2));
    ring.write(std::span(in).subspan(length / 2));
    EXPECT_EQ(ring.waiting(), 0u) << "seen before it is whole";
    ring.publish();
    ASSERT_EQ(ring.waiting(), length);
    std::vector<std::byte> out(length);
    ring.read(out);
    ASSERT_EQ(out, in) << turn;
  }
}

TEST(ByteRingTest, room_is_what_nobody_has_read_less) {
  ByteRing ring(32);
  ring.write(pattern(20, 0));
  ring.publish();
  EXPECT_EQ(ring.room(), 12u);
  std::vector<std::byte> out(5);
  ring.read(out);
  EXPECT_EQ(ring.room(), 17u);
  EXPECT_EQ(ring.waiting(), 15u);
}

TEST(ByteRingTest, two_threads_pass_every_record_whole) {
  constexpr unsigned kRecords = 20'000;
  ByteRing ring(4096);
  std::thread writer([&] {
    for (unsigned i = 0; i < kRecords; ++i) {
      const auto body = pattern(i % 200, i);
      const std::array<unsigned, 2> head{i, static_cast<unsigned>(body.size())};
      while (ring.room() < sizeof head + body.size()) std::this_thread::yield();
      ring.write(std::as_bytes(std::span(head)));
      ring.write(body);
      ring.publish();
    }
  });
  for (unsigned i = 0; i < kRecords; ++i) {
    while (ring.waiting() == 0) std::this_thread::yield();
    std::array<unsigned, 2> head{};
    ring.read(std::as_writable_bytes(std::span(head)));
    std::vector<std::byte> body(head[1]);
    ring.read(body);
    ASSERT_EQ(head[0], i);
    ASSERT_EQ(body, pattern(i % 200, i));
  }
  writer.join();
  EXPECT_EQ(ring.waiting(), 0u);
}

TEST(ValueRingTest, full_ring_keeps_the_old_and_refuses_the_new) {
  ValueRing<int, 4> ring;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.put(i));
    EXPECT_TRUE(ring.full());
    EXPECT_FALSE(ring.put(99));
    int value = -1;
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(ring.take(value));
      EXPECT_EQ(value, i);
    }
    EXPECT_FALSE(ring.take(value));
  }
}

}  // namespace
}  // namespace castgate
