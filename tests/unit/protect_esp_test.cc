// SPDX-License-Identifier: Apache-2.0
// What leaves ProtectStage as ESP, opened with EspGcm alone.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "tests/support/protect_lab.h"

namespace castgate::test {
namespace {

constexpr std::uint32_t kSpi = 0xabcd;

class ProtectEspTest : public ProtectLab {
 protected:
  ProtectEspTest() {
    std::vector<std::byte> key(20);
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(i * 5 + 1);
    ProtectSpec& sealed = protect();
    sealed.profile = ProtectProfile::EspTunnel;
    sealed.spi = kSpi;
    sealed.keys = one_key(share_key(key));
    sealed.inner.to = Endpoint::parse("239.1.0.1:5000").value();
    sealed.inner.source = IpAddress::parse("10.1.0.5").value();
    sealed.inner.source_port = 5001;
    EspMaster master;
    std::copy_n(key.begin(), 16, master.key.begin());
    std::copy_n(key.begin() + 16, 4, master.salt.begin());
    opener_ = make_secret<EspGcm>(ciphers_, master, true);
  }
  // Of the newest frame; nothing where it does not open.
  Bytes inside(std::uint64_t sequence) {
    Bytes esp(sink_.frames.back().begin() + kPayload, sink_.frames.back().end());
    const auto opened = opener_->open(
        ciphers_.manager(), {reinterpret_cast<std::byte*>(esp.data()), esp.size()}, sequence);
    if (!opened) return {};
    const auto* at = reinterpret_cast<const std::uint8_t*>(opened->inner.data());
    return {at, at + opened->inner.size()};
  }

  Ciphers ciphers_ = *Ciphers::make();
  Secret<EspGcm> opener_;
};

TEST_F(ProtectEspTest, before_the_packet_lie_headers_that_replicate_reads) {
  make();
  for (std::size_t length = 0; length < 9; ++length) {
    const Bytes body = pattern(length, 3);
    offer(body);
    Bytes frame = sink_.frames.back();
    const PacketTag tag = sink_.tags.back();
    EXPECT_TRUE(is_plain(tag));
    EXPECT_EQ(frame.size(), kPayload + EspShape::sealed(28 + length));
    EXPECT_EQ(frame[15], 0xb8);
    EXPECT_EQ(frame[22], 9);
    EXPECT_EQ(get16(frame, 40), 0u);
    // An Ethernet header for payload_of, which judges every checksum.
    Bytes inner(14);
    append(inner, inside(length + 1));
    EXPECT_EQ(payload_of(inner), body);
    EXPECT_EQ(inner[15], 0xb8);
    EXPECT_EQ(inner[22], 64);
  }
  EXPECT_EQ(stage_->packets(0), 9u);
}

TEST_F(ProtectEspTest, no_number_is_taken_that_the_disk_does_not_keep) {
  protect().keys[0].numbers = std::make_shared<NumberLease>(0x1'0000'0000u, 0x1'0000'0002u);
  make();
  for (unsigned i = 0; i < 5; ++i) offer(pattern(60));
  EXPECT_EQ(sink_.frames.size(), 2u);
  EXPECT_EQ(dropped(DropReason::NumberNotKept), 3u);
  EXPECT_TRUE(inside(1).empty());
  EXPECT_FALSE(inside(0x1'0000'0001u).empty());  // its upper half is authenticated
  protect().keys[0].numbers->extend(0x1'0000'0003u);
  offer(pattern(60));
  EXPECT_FALSE(inside(0x1'0000'0002u).empty());
  EXPECT_EQ(stage_->packets(0), 3u);
}

TEST_F(ProtectEspTest, without_esn_a_key_ends_with_its_last_32_bit_number) {
  protect().keys[0].numbers = std::make_shared<NumberLease>(0xffff'fffeu, 0x2'0000'0000u);
  protect().esn = false;
  make();
  for (unsigned i = 0; i < 5; ++i) offer(pattern(60));
  EXPECT_EQ(sink_.frames.size(), 2u);
  EXPECT_EQ(dropped(DropReason::KeySpent), 3u);
  EXPECT_EQ(protect().keys[0].numbers->next(), 0x1'0000'0000u);
}

TEST_F(ProtectEspTest, a_reload_goes_on_with_the_numbers_of_the_key) {
  make();
  std::set<Bytes> ivs;
  for (unsigned i = 0; i < 40; ++i) {
    if (i % 10 == 9) make();  // without a lease each would begin at 1
    offer(pattern(60));
    EXPECT_FALSE(inside(i + 1).empty()) << i;
    const Bytes& frame = sink_.frames.back();
    ivs.insert({frame.begin() + kPayload + 8, frame.begin() + kPayload + 16});
  }
  EXPECT_EQ(ivs.size(), 40u);
  EXPECT_EQ(stage_->packets(0), 40u);
}

TEST_F(ProtectEspTest, what_has_no_room_on_either_side_is_dropped_whole_and_takes_no_number) {
  make();
  rte_mbuf* packet = packet_of(pattern(60));
  const std::uint16_t whole = packet->buf_len;
  // 28 of IP and UDP and 60 of payload: 2 of padding, 2 of trailer, 16 of ICV.
  packet->buf_len = static_cast<std::uint16_t>(packet->data_off + packet->data_len + 19);
  offer(packet);
  packet->buf_len = whole;
  EXPECT_EQ(dropped(DropReason::SealNoRoom), 1u);
  packet = packet_of(pattern(60));
  packet->buf_len = static_cast<std::uint16_t>(packet->data_off + packet->data_len + 20);
  offer(packet);
  EXPECT_EQ(dropped(DropReason::SealNoRoom), 1u);
  packet = packet_of(pattern(60));
  // IP, UDP, SPI to IV, and what replicate reads, less what the frame has before its payload.
  constexpr std::uint16_t kNeeded = 28 + 16 + 42 - 42;
  const std::uint16_t begins = packet->data_off;
  std::memmove(static_cast<std::byte*>(packet->buf_addr) + kNeeded - 1,
               static_cast<std::byte*>(packet->buf_addr) + begins, packet->data_len);
  packet->data_off = kNeeded - 1;
  offer(packet);
  EXPECT_EQ(dropped(DropReason::SealNoRoom), 2u);
  EXPECT_EQ(sink_.frames.size(), 1u);
  EXPECT_FALSE(inside(1).empty());
  offer(pattern(60));
  EXPECT_FALSE(inside(2).empty());
}

}  // namespace
}  // namespace castgate::test
