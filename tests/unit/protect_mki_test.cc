// SPDX-License-Identifier: Apache-2.0
// What leaves ProtectStage with an MKI and without, against libsrtp2, which knows all keys.
#include "tests/support/mki_peer.h"
#include "tests/support/protect_lab.h"
#include "tests/support/random_rtp.h"

namespace castgate::test {
namespace {

constexpr unsigned kKeys = MkiPeer::kMostKeys;
constexpr unsigned kEach = 100;

MkiSuite suite_of(const ProtectSpec& spec) {
  return {.gcm = spec.profile == ProtectProfile::SrtpGcm,
          .key_bits = spec.key_bits,
          .tag_bits = spec.tag_bits,
          .mki_bytes = spec.mki_bytes};
}

class ProtectMkiTest : public ProtectLab {
 protected:
  Bytes random_packet(std::uint64_t sequence) {
    return random_rtp<std::uint8_t>(random_, sequence, kOwn);
  }
  void offer_quickly(const Bytes& payload) {
    Frame frame;
    frame.udp_sum = false;
    frame.payload = payload;
    rte_mbuf* packet = one_segment(pool(), frame.bytes());
    set_tag(packet, {.stream = 0, .leg = 0, .worker = 0, .udp_at = 34, .l3_at = 14, .flags = 0});
    stage_->process({&packet, 1}, {1});
  }

  std::mt19937_64 random_{5};
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
        clear.push_back(random_packet(std::uint64_t{n} * 90));  // more than two turns of 65536
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

struct Suite {
  ProtectProfile profile;
  unsigned key_bits;
  unsigned tag_bits;
};

class SrtpSuiteTest : public ProtectMkiTest, public testing::WithParamInterface<Suite> {};

TEST_P(SrtpSuiteTest, libsrtp2_makes_the_bytes_of_the_stage_and_opens_them) {
  for (const unsigned mki_bytes : {0u, 4u}) {
    protect() = {};
    protect().profile = GetParam().profile;
    protect().key_bits = GetParam().key_bits;
    protect().tag_bits = GetParam().tag_bits;
    protect().mki_bytes = mki_bytes;
    protect().keys = {{0xca57'0001, key_of(key_file_bytes(protect()), mki_bytes + 9), nullptr}};
    MkiPeer sender(suite_of(protect()), protect().keys, true);
    MkiPeer receiver(suite_of(protect()), protect().keys);
    stage_.reset();
    make();
    const std::uint64_t wanted = srtp_packets_wanted();
    std::vector<Bytes> clear;
    std::uint64_t index = 65'000;
    for (std::uint64_t done = 0; done < wanted; done += clear.size()) {
      clear.resize(1 + random_() % 200);
      for (Bytes& packet : clear) offer_quickly(packet = random_packet(index++));
      stage_->work();
      ASSERT_EQ(sink_.frames.size(), clear.size());
      for (std::size_t i = 0; i < clear.size(); ++i) {
        const Bytes sealed = sealed_of(sink_.frames[i]);
        ASSERT_EQ(sealed, sender.seal(clear[i], 0)) << mki_bytes << " of MKI, packet " << done + i;
        ASSERT_EQ(receiver.open(sealed), clear[i]) << mki_bytes << " of MKI, packet " << done + i;
      }
      sink_.frames.clear();
      sink_.tags.clear();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Suites, SrtpSuiteTest,
                         testing::Values(Suite{ProtectProfile::SrtpGcm, 128, 80},
                                         Suite{ProtectProfile::SrtpGcm, 256, 80},
                                         Suite{ProtectProfile::SrtpCm, 128, 80},
                                         Suite{ProtectProfile::SrtpCm, 128, 32},
                                         Suite{ProtectProfile::SrtpCm, 256, 80}));

}  // namespace
}  // namespace castgate::test
