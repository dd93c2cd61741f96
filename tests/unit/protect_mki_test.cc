// SPDX-License-Identifier: Apache-2.0
// What leaves ProtectStage with an MKI, opened by libsrtp2, which knows all keys.
#include <random>

#include <gtest/gtest.h>

#include "tests/support/mki_peer.h"
#include "tests/support/protect_lab.h"

namespace castgate::test {
namespace {

constexpr unsigned kKeys = MkiPeer::kMostKeys;
constexpr unsigned kEach = 100;

MkiSuite suite_of(const ProtectSpec& spec) {
  return {spec.profile == ProtectProfile::SrtpGcm, spec.tag_bits, spec.mki_bytes};
}

class ProtectMkiTest : public ProtectLab {
 protected:
  // With CSRCs and an extension, where there is room.
  Bytes random_packet(unsigned sequence) {
    Bytes made = rtp_packet(sequence, 0, kOwn, pattern(random_() % 1'000, sequence));
    if (made.size() < 150) return made;
    const bool extended = random_() % 2 == 0;
    const unsigned sources = random_() % 16;
    made[0] = static_cast<std::uint8_t>(0x80 | sources | (extended ? 0x10 : 0));
    if (!extended) return made;
    const std::size_t at = 14 + std::size_t{4} * sources;
    made[at] = 0;
    made[at + 1] = static_cast<std::uint8_t>(random_() % 15);
    return made;
  }

  std::mt19937 random_{5};
};

TEST_F(ProtectMkiTest, libsrtp2_opens_every_epoch_through_wraps) {
  for (const ProtectProfile profile : {ProtectProfile::SrtpGcm, ProtectProfile::SrtpCm}) {
    for (const unsigned mki_bytes : {1u, 3u, 4u}) {
      protect() = protect_of(profile);
      protect().tag_bits = mki_bytes == 3 ? 32 : 80;
      protect().mki_bytes = mki_bytes;
      protect().rekey_packets = kEach;
      protect().keys.clear();
      protect().keys.reserve(kKeys);
      for (std::uint32_t epoch = 0; epoch < kKeys; ++epoch)
        protect().keys.push_back({240 + epoch, key_of(key_file_bytes(protect()), epoch), nullptr});
      MkiPeer peer(suite_of(protect()), protect().keys);
      stage_.reset();
      sink_.frames.clear();
      make();
      std::vector<Bytes> clear;
      for (unsigned n = 0; n < kKeys * kEach; ++n) {
        clear.push_back(random_packet(n * 90));  // more than two turns of 65536
        offer(clear.back());
      }
      ASSERT_EQ(sink_.frames.size(), clear.size());
      for (std::size_t n = 0; n < clear.size(); ++n)
        ASSERT_EQ(peer.open(sealed_of(sink_.frames[n])), clear[n]) << n;
      Bytes other = sealed_of(sink_.frames.back());
      const std::size_t behind = profile == ProtectProfile::SrtpCm ? protect().tag_bits / 8 : 0;
      other[other.size() - behind - 1] ^= 1;
      EXPECT_TRUE(
          MkiPeer(suite_of(protect()), protect().keys).open(other).empty());  // another epoch's
    }
  }
}

}  // namespace
}  // namespace castgate::test
