// SPDX-License-Identifier: Apache-2.0
// What leaves ProtectStage with an MKI, opened by libsrtp2, which knows all keys.
#include <random>
#include <srtp2/srtp.h>

#include <gtest/gtest.h>

#include "tests/support/protect_lab.h"

namespace castgate::test {
namespace {

constexpr unsigned kKeys = SRTP_MAX_NUM_MASTER_KEYS;
constexpr unsigned kEach = 100;

// A receiver with the keys of a spec.
class Peer {
 public:
  explicit Peer(const ProtectSpec& spec) {
    static const bool ready = srtp_init() == srtp_err_status_ok;
    EXPECT_TRUE(ready);
    if (spec.profile == ProtectProfile::SrtpGcm) {
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy_.rtp);
    } else if (spec.tag_bits == 32) {
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy_.rtp);
    } else {
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy_.rtp);
    }
    policy_.rtcp = policy_.rtp;
    for (const EpochKey& key : spec.keys) {
      auto& bytes = bytes_.emplace_back();
      for (const std::byte byte : key.key->bytes())
        bytes.push_back(std::to_integer<unsigned char>(byte));
      auto& mki = mkis_.emplace_back();
      for (unsigned i = spec.mki_bytes; i-- > 0;)
        mki.push_back(static_cast<unsigned char>(key.epoch >> (8 * i)));
    }
    for (std::size_t i = 0; i < bytes_.size(); ++i)
      keys_.push_back({bytes_[i].data(), mkis_[i].data(), spec.mki_bytes});
    for (srtp_master_key_t& key : keys_) pointers_.push_back(&key);
    policy_.keys = pointers_.data();
    policy_.num_master_keys = pointers_.size();
    policy_.ssrc = {ssrc_any_inbound, 0};
    policy_.window_size = 1024;
    EXPECT_EQ(srtp_create(&session_, &policy_), srtp_err_status_ok);
  }
  ~Peer() { srtp_dealloc(session_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  Bytes open(Bytes packet) {
    int length = static_cast<int>(packet.size());
    if (srtp_unprotect_mki(session_, packet.data(), &length, 1) != srtp_err_status_ok) return {};
    packet.resize(static_cast<std::size_t>(length));
    return packet;
  }

 private:
  srtp_policy_t policy_{};
  std::vector<std::vector<unsigned char>> bytes_;
  std::vector<std::vector<unsigned char>> mkis_;
  std::vector<srtp_master_key_t> keys_;
  std::vector<srtp_master_key_t*> pointers_;
  srtp_t session_ = nullptr;
};

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
      Peer peer(protect());
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
      EXPECT_TRUE(Peer(protect()).open(other).empty());  // another epoch's
    }
  }
}

}  // namespace
}  // namespace castgate::test
