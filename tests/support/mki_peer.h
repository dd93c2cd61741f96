// SPDX-License-Identifier: Apache-2.0
// libsrtp2 with one key, or several, which an MKI in each packet tells apart.
#pragma once

#include <cstdint>
#include <srtp2/srtp.h>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/contract/epoch_key.h"
#include "tests/support/packets.h"

namespace castgate::test {

struct MkiSuite {
  bool gcm = true;  // else AES-CM
  unsigned key_bits = 128;
  unsigned tag_bits = 80;  // AES-CM
  unsigned mki_bytes = 4;  // 0: one key, without
};

class MkiPeer {
 public:
  static constexpr unsigned kMostKeys = SRTP_MAX_NUM_MASTER_KEYS;

  MkiPeer(const MkiSuite& suite, const std::vector<EpochKey>& keys, bool seals = false)
      : has_mki_(suite.mki_bytes != 0 ? 1 : 0) {
    static const bool ready = srtp_init() == srtp_err_status_ok;
    EXPECT_TRUE(ready);
    const bool wide = suite.key_bits == 256;
    if (suite.gcm && wide) {
      srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy_.rtp);
    } else if (suite.gcm) {
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy_.rtp);
    } else if (wide) {
      srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy_.rtp);
    } else if (suite.tag_bits == 32) {
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy_.rtp);
    } else {
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy_.rtp);
    }
    policy_.rtcp = policy_.rtp;
    for (const EpochKey& key : keys) {
      auto& bytes = bytes_.emplace_back();
      for (const std::byte byte : key.key->bytes())
        bytes.push_back(std::to_integer<unsigned char>(byte));
      auto& mki = mkis_.emplace_back();
      for (unsigned i = suite.mki_bytes; i-- > 0;)
        mki.push_back(static_cast<unsigned char>(key.epoch >> (8 * i)));
    }
    for (std::size_t i = 0; i < bytes_.size(); ++i)
      keys_.push_back({bytes_[i].data(), mkis_[i].data(), suite.mki_bytes});
    for (srtp_master_key_t& key : keys_) pointers_.push_back(&key);
    policy_.keys = pointers_.data();
    policy_.num_master_keys = pointers_.size();
    policy_.ssrc = {seals ? ssrc_any_outbound : ssrc_any_inbound, 0};
    policy_.window_size = 1024;
    EXPECT_EQ(srtp_create(&session_, &policy_), srtp_err_status_ok);
  }
  ~MkiPeer() { srtp_dealloc(session_); }
  MkiPeer(const MkiPeer&) = delete;
  MkiPeer& operator=(const MkiPeer&) = delete;

  // Empty: it does not open.
  Bytes open(Bytes packet) {
    int length = static_cast<int>(packet.size());
    if (srtp_unprotect_mki(session_, packet.data(), &length, has_mki_) != srtp_err_status_ok)
      return {};
    packet.resize(static_cast<std::size_t>(length));
    return packet;
  }
  // With the n-th key.
  Bytes seal(Bytes packet, unsigned key) {
    int length = static_cast<int>(packet.size());
    packet.resize(packet.size() + SRTP_MAX_TRAILER_LEN);
    EXPECT_EQ(srtp_protect_mki(session_, packet.data(), &length, has_mki_, key),
              srtp_err_status_ok);
    packet.resize(static_cast<std::size_t>(length));
    return packet;
  }
  Bytes seal_rtcp(Bytes packet, unsigned key) {
    int length = static_cast<int>(packet.size());
    packet.resize(packet.size() + SRTP_MAX_TRAILER_LEN + 4);
    EXPECT_EQ(srtp_protect_rtcp_mki(session_, packet.data(), &length, has_mki_, key),
              srtp_err_status_ok);
    packet.resize(static_cast<std::size_t>(length));
    return packet;
  }

 private:
  unsigned has_mki_;
  srtp_policy_t policy_{};
  std::vector<std::vector<unsigned char>> bytes_;
  std::vector<std::vector<unsigned char>> mkis_;
  std::vector<srtp_master_key_t> keys_;
  std::vector<srtp_master_key_t*> pointers_;
  srtp_t session_ = nullptr;
};

}  // namespace castgate::test
