// SPDX-License-Identifier: Apache-2.0
// Keys that follow each other: who seals when, and what receivers know it by.
#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

#include "tests/support/protect_lab.h"

namespace castgate::test {
namespace {

constexpr ProtectProfile kSrtp[] = {ProtectProfile::SrtpGcm, ProtectProfile::SrtpCm};

class ProtectEpochsTest : public ProtectLab {
 protected:
  // As a key file with so many lines.
  void use_keys(ProtectProfile profile, unsigned count, std::uint32_t first = 1) {
    protect() = protect_of(profile);
    protect().keys.clear();
    protect().spi = 0x1000;
    protect().keys.reserve(count);
    for (std::uint32_t epoch = first; epoch < first + count; ++epoch)
      protect().keys.push_back({epoch, key_of(key_file_bytes(protect()), epoch), nullptr});
    protect().inner.to = Endpoint::parse("239.1.0.1:5000").value();
    protect().inner.source = IpAddress::parse("10.1.0.5").value();
  }
  // Of a frame that left.
  std::uint32_t mki_of(const Bytes& frame) {
    const unsigned length = protect().mki_bytes;
    const unsigned behind = protect().profile == ProtectProfile::SrtpCm ? 10 : 0;
    std::uint32_t mki = 0;
    for (auto at = frame.end() - behind - length; at != frame.end() - behind; ++at)
      mki = mki << 8 | *at;
    return mki;
  }
  // With an epoch's session keys alone; nothing where it does not open.
  Bytes opened(const Bytes& frame, std::uint32_t epoch, std::uint64_t index) {
    const unsigned mki = protect().mki_bytes;
    Bytes packet = sealed_of(frame);
    const auto bytes = key_of(key_file_bytes(protect()), epoch);
    const auto master = read_srtp_master(bytes->bytes(), KeyBits::Aes128);
    const bool is_cm = protect().profile == ProtectProfile::SrtpCm;
    const std::size_t tag = is_cm ? 10 : 16;
    const std::size_t length = packet.size() - tag - mki;
    if (is_cm) std::memmove(packet.data() + length, packet.data() + length + mki, tag);
    auto* at = reinterpret_cast<std::byte*>(packet.data());
    const SrtpPacket rtp{at, length, rtp_header_length(at, length), index};
    bool good = false;
    if (is_cm) {
      const auto cm = make_secret<SrtpCm>(ciphers_, *master, tag);
      SrtpCmBatch batch;
      batch.add(*cm, rtp);
      good = batch.open(ciphers_.manager())[0];
    } else {
      good = make_secret<SrtpGcm>(ciphers_, *master)->open(ciphers_.manager(), rtp);
    }
    packet.resize(good ? length : 0);
    return packet;
  }
  // As many as there are so far.
  void offer_more(unsigned count, Instant now = {1}) {
    for (unsigned i = 0; i < count; ++i, ++offered_)
      offer(rtp_packet(65'500 + offered_, 0, kOwn, pattern(60, offered_)), now);
  }
  std::vector<std::uint32_t> mkis() {
    std::vector<std::uint32_t> all;
    all.reserve(sink_.frames.size());
    for (const Bytes& frame : sink_.frames) all.push_back(mki_of(frame));
    return all;
  }

  unsigned offered_ = 0;
  Ciphers ciphers_ = *Ciphers::make();
};

TEST_F(ProtectEpochsTest, keys_take_turns_by_packets_and_indexes_go_on) {
  for (const ProtectProfile profile : kSrtp) {
    for (const unsigned bytes : {1u, 2u, 4u}) {
      use_keys(profile, 4, 200);
      protect().mki_bytes = bytes;
      protect().rekey_packets = 25;
      stage_.reset();
      sink_.frames.clear();
      offered_ = 0;
      make();
      offer_more(100);
      ASSERT_EQ(sink_.frames.size(), 100u);
      for (unsigned i = 0; i < 100; ++i) {
        const std::uint32_t epoch = 200 + i / 25;
        ASSERT_EQ(mki_of(sink_.frames[i]), epoch) << i;
        const Bytes clear = opened(sink_.frames[i], epoch, 65'500 + i);
        ASSERT_EQ(clear, rtp_packet(65'500 + i, 0, kOwn, pattern(60, i))) << i;
      }
      EXPECT_EQ(stage_->packets(0), 100u);
    }
  }
}

TEST_F(ProtectEpochsTest, keys_take_turns_by_time) {
  use_keys(ProtectProfile::SrtpGcm, 3);
  protect().mki_bytes = 1;
  protect().rekey_time = Nanoseconds{1'000};
  make();
  for (const std::int64_t at : {5'000, 5'999, 6'000, 6'999, 7'000, 9'000}) offer_more(1, {at});
  EXPECT_EQ(mkis(), (std::vector<std::uint32_t>{1, 1, 2, 2, 3, 3}));
}

TEST_F(ProtectEpochsTest, of_a_hard_limit_alone_four_fifths_are_the_soft_one) {
  use_keys(ProtectProfile::SrtpGcm, 2);
  protect().mki_bytes = 1;
  protect().max_packets = 10;
  protect().max_time = Nanoseconds{1'000};
  make();
  offer_more(9, {5'000});
  EXPECT_EQ(mkis(), (std::vector<std::uint32_t>{1, 1, 1, 1, 1, 1, 1, 1, 2}));
  // The last one seals to its end: by time, counted from its own beginning.
  offer_more(1, {5'999});
  EXPECT_EQ(dropped(DropReason::KeySpent), 0u);
  offer_more(1, {6'000});
  EXPECT_EQ(dropped(DropReason::KeySpent), 1u);
  EXPECT_EQ(sink_.frames.size(), 10u);
}

TEST_F(ProtectEpochsTest, the_last_key_ends_at_its_hard_limit_and_says_before_that_it_is_due) {
  use_keys(ProtectProfile::SrtpGcm, 1);
  protect().rekey_packets = 5;
  protect().max_packets = 10;
  protect().epochs = std::make_shared<EpochLease>(1, 1);
  make();
  offer_more(5);
  EXPECT_FALSE(protect().epochs->is_overdue());
  offer_more(1);
  EXPECT_TRUE(protect().epochs->is_overdue());
  offer_more(10);
  EXPECT_EQ(sink_.frames.size(), 10u);
  EXPECT_EQ(dropped(DropReason::KeySpent), 6u);
}

TEST_F(ProtectEpochsTest, a_key_waits_until_it_may_seal_and_the_one_before_goes_on) {
  use_keys(ProtectProfile::SrtpGcm, 2);
  protect().mki_bytes = 4;
  protect().rekey_packets = 10;
  const auto lease = std::make_shared<EpochLease>(1, 1);
  protect().epochs = lease;
  make();
  offer_more(10);
  EXPECT_EQ(lease->wanted(), 0u);
  offer_more(200);
  EXPECT_EQ(lease->wanted(), 2u);
  EXPECT_EQ(lease->current(), 1u);
  lease->allow(2);
  offer_more(100);  // it is asked again within as many
  EXPECT_EQ(lease->current(), 2u);
  const auto all = mkis();
  EXPECT_EQ(all.size(), 310u);
  EXPECT_TRUE(std::ranges::is_sorted(all));
  EXPECT_EQ(std::ranges::count(all, 1u) / 64, (210 + 63) / 64);
}

TEST_F(ProtectEpochsTest, a_key_that_is_over_is_wiped) {
  for (const ProtectProfile profile : {ProtectProfile::SrtpGcm, ProtectProfile::SrtpCm}) {
    use_keys(profile, 2);
    protect().mki_bytes = 1;
    Rendition rendition(ciphers_, protect());
    std::vector<std::byte> memory(profile == ProtectProfile::SrtpCm ? sizeof(SrtpCm)
                                                                    : sizeof(SrtpGcm));
    const void* at = rendition.cm();
    if (profile == ProtectProfile::SrtpGcm) at = rendition.gcm();
    const auto holds_anything = [&] {
      std::memcpy(memory.data(), at, memory.size());
      return std::ranges::any_of(memory, [](std::byte one) { return one != std::byte{}; });
    };
    EXPECT_TRUE(holds_anything());
    rendition.begin_next({1});
    EXPECT_FALSE(holds_anything());
    EXPECT_EQ(rendition.epoch(), 2u);
  }
}

TEST_F(ProtectEpochsTest, what_waits_to_be_sealed_together_is_sealed_with_the_key_it_came_to) {
  use_keys(ProtectProfile::SrtpCm, 3);
  protect().mki_bytes = 1;
  protect().rekey_packets = 20;
  make();
  std::vector<rte_mbuf*> burst;
  burst.reserve(50);
  for (unsigned i = 0; i < 50; ++i)
    burst.push_back(packet_of(rtp_packet(i, 0, kOwn, pattern(60, i))));
  stage_->process(burst, {1});
  stage_->work();
  ASSERT_EQ(sink_.frames.size(), 50u);
  for (unsigned i = 0; i < 50; ++i) {
    EXPECT_EQ(opened(sink_.frames[i], 1 + i / 20, i), rtp_packet(i, 0, kOwn, pattern(60, i)));
  }
}

TEST_F(ProtectEpochsTest, a_reload_with_further_keys_goes_on_with_the_one_that_seals) {
  use_keys(ProtectProfile::SrtpGcm, 2);
  protect().mki_bytes = 1;
  protect().rekey_packets = 10;
  make();
  offer_more(15);
  use_keys(ProtectProfile::SrtpGcm, 3, 2);  // the first one is over and taken away
  protect().mki_bytes = 1;
  protect().rekey_packets = 10;
  make();
  offer_more(15);
  offer(rtp_packet(65'500 + 3, 0, kOwn, pattern(60)));
  EXPECT_EQ(dropped(DropReason::NonceUsed), 1u);
  std::vector<std::uint32_t> expected(10, 1);
  expected.resize(20, 2);
  expected.resize(30, 3);
  EXPECT_EQ(mkis(), expected);
}

TEST_F(ProtectEpochsTest, an_epoch_of_esp_has_its_spi_and_numbers_from_1_on) {
  use_keys(ProtectProfile::EspTunnel, 3);
  protect().rekey_packets = 10;
  make();
  offer_more(30);
  ASSERT_EQ(sink_.frames.size(), 30u);
  for (unsigned i = 0; i < 30; ++i) {
    EXPECT_EQ(get32(sink_.frames[i], kPayload), 0x1000 + i / 10) << i;
    EXPECT_EQ(get32(sink_.frames[i], kPayload + 4), 1 + i % 10) << i;
  }
}

TEST_F(ProtectEpochsTest, an_epoch_of_esp_waits_for_its_numbers) {
  use_keys(ProtectProfile::EspTunnel, 2);
  protect().rekey_packets = 10;
  protect().keys[1].numbers = std::make_shared<NumberLease>(5, 5);
  make();
  offer_more(100);
  EXPECT_EQ(get32(sink_.frames.back(), kPayload), 0x1000u);
  protect().keys[1].numbers->extend(1'000);
  offer_more(100);
  EXPECT_EQ(get32(sink_.frames.back(), kPayload), 0x1001u);
  EXPECT_EQ(sink_.frames.size(), 200u);
}

}  // namespace
}  // namespace castgate::test
