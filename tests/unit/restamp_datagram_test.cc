// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "dataplane/base/restamp/datagram.h"
#include "tests/support/packets.h"

namespace castgate::test {
namespace {

constexpr std::size_t kRoom = 12;

HeaderPlaces places(const Frame& frame) {
  const auto l3 = static_cast<unsigned>(14 + 4 * frame.tags.size());
  const std::size_t ip = frame.v6 ? 40 + frame.extensions.size() : 20 + frame.options.size();
  return {l3, static_cast<unsigned>(l3 + ip), frame.v6};
}

// The frame with room before it.
struct Memory {
  explicit Memory(const Frame& frame) : bytes(kRoom) { append(bytes, frame.bytes()); }
  std::byte* frame() { return reinterpret_cast<std::byte*>(bytes.data() + kRoom); }
  Bytes from(std::ptrdiff_t first, std::size_t cut_off = 0) const {
    return {bytes.begin() + static_cast<std::ptrdiff_t>(kRoom) + first,
            bytes.end() - static_cast<std::ptrdiff_t>(cut_off)};
  }
  Bytes bytes;
};

Bytes rtp_header(unsigned sequence, std::uint32_t timestamp, std::uint32_t ssrc,
                 unsigned payload_type = 33) {
  Bytes made{0x80, static_cast<std::uint8_t>(payload_type)};
  put16(made, sequence);
  put32(made, timestamp);
  put32(made, ssrc);
  return made;
}

// Frames of every shape, with random bytes in them.
Frame any_frame(std::mt19937& random) {
  Frame made = random() % 3 == 0 ? frame6() : Frame{};
  for (std::size_t n = random() % 3; n > 0; --n) made.tags.emplace_back(0x8100, n);
  if (!made.v6 && random() % 4 == 0) made.options = Bytes(4 * (random() % 11), 1);
  made.udp_sum = made.v6 || random() % 5 != 0;
  made.source_port = random() & 0xffff;
  made.payload.resize(1 + random() % 200);
  std::ranges::generate(made.payload, [&] { return static_cast<std::uint8_t>(random()); });
  return made;
}

// The judge sums the whole frame anew, byte by byte.
TEST(RestampDatagram, inserted_header_makes_the_frame_that_would_have_been_sent) {
  std::mt19937 random(33);
  for (unsigned i = 0; i < 20'000; ++i) {
    Frame frame = any_frame(random);
    Memory memory(frame);
    const RtpStamp stamp{
        static_cast<std::uint8_t>(random() % 128),
        static_cast<std::uint32_t>(random()),
        {static_cast<std::uint32_t>(random()) & 0xffff, static_cast<std::uint32_t>(random())}};
    insert_rtp(memory.frame(), places(frame), stamp);
    Bytes payload =
        rtp_header(stamp.numbers.sequence, stamp.numbers.timestamp, stamp.ssrc, stamp.payload_type);
    append(payload, frame.payload);
    frame.payload = payload;
    ASSERT_EQ(memory.bytes, frame.bytes()) << i;
  }
}

TEST(RestampDatagram, stripped_header_and_padding_leave_the_frame_without_them) {
  std::mt19937 random(34);
  for (unsigned i = 0; i < 20'000; ++i) {
    Frame frame = any_frame(random);
    const Bytes kept = frame.payload;
    const RtpFrame rtp{12 + 4 * (random() % 20), random() % 3 == 0 ? 1 + random() % 255 : 0};
    Bytes payload(rtp.header);
    std::ranges::generate(payload, [&] { return static_cast<std::uint8_t>(random()); });
    append(payload, kept);
    for (std::size_t n = 0; n < rtp.padding; ++n) {
      payload.push_back(static_cast<std::uint8_t>(random()));
    }
    frame.payload = payload;
    Memory memory(frame);
    strip_rtp(memory.frame(), places(frame), payload.size(), rtp);
    frame.payload = kept;
    ASSERT_EQ(memory.from(static_cast<std::ptrdiff_t>(rtp.header), rtp.padding), frame.bytes())
        << i;
  }
}

TEST(RestampDatagram, insert_then_strip_gives_the_same_bytes) {
  std::mt19937 random(35);
  for (unsigned i = 0; i < 20'000; ++i) {
    const Frame frame = any_frame(random);
    Memory memory(frame);
    insert_rtp(memory.frame(), places(frame), {33, static_cast<std::uint32_t>(random()), {}});
    RtpFrame rtp;
    std::byte* inserted = memory.frame() - kRtpHeader;
    const std::size_t length = frame.payload.size() + kRtpHeader;
    ASSERT_TRUE(find_rtp_frame(inserted + places(frame).payload_at(), length, rtp));
    strip_rtp(inserted, places(frame), length, rtp);
    ASSERT_EQ(memory.from(0), frame.bytes()) << i;
  }
}

TEST(RestampDatagram, numbers_are_written_and_the_checksum_follows) {
  std::mt19937 random(36);
  for (unsigned i = 0; i < 20'000; ++i) {
    Frame frame = any_frame(random);
    const std::size_t extended_at = random() % 2 == 0 ? 0 : 12 + 4 * (random() % 4);
    frame.payload.resize(std::max<std::size_t>(frame.payload.size(), 30));
    Memory memory(frame);
    const RtpStamp stamp{
        0,
        static_cast<std::uint32_t>(random()),
        {static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random())}};
    write_rtp_numbers(memory.frame(), places(frame), stamp, extended_at);
    const Bytes header =
        rtp_header(stamp.numbers.sequence & 0xffff, stamp.numbers.timestamp, stamp.ssrc);
    std::copy(header.begin() + 2, header.end(), frame.payload.begin() + 2);
    if (extended_at != 0) set16(frame.payload, extended_at, stamp.numbers.sequence >> 16);
    ASSERT_EQ(memory.from(0), frame.bytes()) << i;
  }
}

// What came damaged must not leave as if it were whole.
TEST(RestampDatagram, wrong_checksum_stays_wrong_by_as_much) {
  Frame frame;
  frame.payload = rtp_header(7, 8, 9);
  append(frame.payload, Bytes(50, 3));
  Memory memory(frame);
  memory.bytes.back() ^= 4;
  write_rtp_numbers(memory.frame(), places(frame), {0, 1, {2, 3}}, 0);
  const Bytes header = rtp_header(2, 3, 1);
  std::copy(header.begin(), header.end(), frame.payload.begin());
  Bytes wanted = frame.bytes();
  wanted.back() ^= 4;
  EXPECT_EQ(memory.from(0), wanted);
}

TEST(RestampDatagram, sum_of_nothing_is_sent_as_ones) {
  Frame frame;  // its sum is made to be 0, which UDP writes as 0xffff
  frame.payload = rtp_header(0, 0, 0);
  const unsigned sum = get16(frame.bytes(), 40);
  Memory memory(frame);
  write_rtp_numbers(memory.frame(), places(frame), {0, 0, {sum, 0}}, 0);
  EXPECT_EQ(get16(memory.from(0), 40), 0xffffu);
  set16(frame.payload, 2, sum);
  EXPECT_EQ(memory.from(0), frame.bytes());
}

struct Shape {
  Bytes payload;
  bool found;
  std::size_t header;
  std::size_t padding;
};

TEST(RestampDatagram, header_extension_and_padding_are_found) {
  const auto with = [](unsigned first, const Bytes& rest) {
    Bytes made = rtp_header(1, 2, 3);
    made[0] = static_cast<std::uint8_t>(first);
    append(made, rest);
    return made;
  };
  const Shape shapes[] = {
      {with(0x80, {}), true, 12, 0},
      {with(0x80, {1}), true, 12, 0},
      {with(0x82, Bytes(9)), true, 20, 0},
      {with(0x82, Bytes(7)), false, 0, 0},
      {with(0x90, {0xbe, 0xde, 0, 1, 1, 2, 3, 4, 9}), true, 20, 0},
      {with(0x90, {0xbe, 0xde, 0, 1, 1, 2, 3}), false, 0, 0},
      {with(0x90, {0xbe, 0xde, 0}), false, 0, 0},
      {with(0xb1, {0, 0, 0, 7, 0xbe, 0xde, 0, 0, 9, 0, 2}), true, 20, 2},
      {with(0xa0, {9, 0, 2}), true, 12, 2},
      {with(0xa0, {0, 0, 3}), true, 12, 3},
      {with(0xa0, {0, 0, 4}), false, 12, 4},
      {with(0xa0, {0, 0, 0}), false, 12, 0},
      {with(0xa0, {}), false, 12, 3},
      {with(0x40, {}), false, 0, 0},
      {Bytes(11, 0x80), false, 0, 0},
      {{}, false, 0, 0},
  };
  for (const Shape& shape : shapes) {
    RtpFrame rtp;
    const auto* bytes = reinterpret_cast<const std::byte*>(shape.payload.data());
    EXPECT_EQ(find_rtp_frame(bytes, shape.payload.size(), rtp), shape.found);
    EXPECT_EQ(rtp.header, shape.header);
    EXPECT_EQ(rtp.padding, shape.padding);
  }
}

}  // namespace
}  // namespace castgate::test
