// SPDX-License-Identifier: Apache-2.0
// Against libsrtp2, both ways: what either seals the other opens, and the bytes are equal.
#include <random>
#include <srtp2/srtp.h>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/base/protect/secret_memory.h"
#include "dataplane/base/rtp/header.h"
#include "dataplane/base/srtp/srtp_cm.h"
#include "dataplane/base/srtp/srtp_gcm.h"
#include "dataplane/base/srtp/srtp_index.h"
#include "tests/support/random_rtp.h"

namespace castgate {
namespace {

using Packet = std::vector<std::byte>;

constexpr std::uint32_t kSsrc = 0x5501a0b2;
constexpr std::size_t kRoom = 64;

enum class Suite { Gcm128, Gcm256, Cm80, Cm32, Cm256 };

bool is_gcm(Suite suite) {
  return suite == Suite::Gcm128 || suite == Suite::Gcm256;
}

// One sender or receiver of libsrtp2.
class Peer {
 public:
  Peer(Suite suite, const SrtpMaster& master, bool sends) {
    static const bool ready = srtp_init() == srtp_err_status_ok;
    EXPECT_TRUE(ready);
    switch (suite) {
      case Suite::Gcm128:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy_.rtp);
        break;
      case Suite::Gcm256:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy_.rtp);
        break;
      case Suite::Cm80:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy_.rtp);
        break;
      case Suite::Cm32:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy_.rtp);
        break;
      case Suite::Cm256:
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy_.rtp);
        break;
    }
    policy_.rtcp = policy_.rtp;
    const std::size_t salt = is_gcm(suite) ? 12 : 14;
    for (const std::byte byte : master.key_span())
      key_.push_back(std::to_integer<unsigned char>(byte));
    for (std::size_t i = 0; i < salt; ++i)
      key_.push_back(std::to_integer<unsigned char>(master.salt[i]));
    policy_.key = key_.data();
    policy_.ssrc = {sends ? ssrc_any_outbound : ssrc_any_inbound, 0};
    policy_.window_size = 1024;
    EXPECT_EQ(srtp_create(&session_, &policy_), srtp_err_status_ok);
  }
  ~Peer() { srtp_dealloc(session_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  Packet seal(const Packet& clear) {
    Packet packet = clear;
    packet.resize(clear.size() + kRoom);
    int length = static_cast<int>(clear.size());
    EXPECT_EQ(srtp_protect(session_, packet.data(), &length), srtp_err_status_ok);
    packet.resize(static_cast<std::size_t>(length));
    return packet;
  }
  Packet open(const Packet& sealed) {
    Packet packet = sealed;
    int length = static_cast<int>(sealed.size());
    if (srtp_unprotect(session_, packet.data(), &length) != srtp_err_status_ok) return {};
    packet.resize(static_cast<std::size_t>(length));
    return packet;
  }

 private:
  srtp_policy_t policy_{};
  std::vector<unsigned char> key_;
  srtp_t session_ = nullptr;
};

// The same, ours.
class Ours {
 public:
  Ours(Suite suite, const SrtpMaster& master) {
    if (is_gcm(suite)) {
      gcm_ = make_secret<SrtpGcm>(ciphers_, master);
    } else {
      cm_ = make_secret<SrtpCm>(ciphers_, master, suite == Suite::Cm32 ? 4u : 10u);
    }
  }

  // In place and out of place in turn; for the other suites in batches of one to kMost.
  std::vector<Packet> seal(const std::vector<Packet>& clear, std::uint64_t first_index) {
    std::vector<Packet> sealed = clear;
    const std::vector<Packet> before(clear.begin(), clear.end());
    std::size_t n = 0;
    for (Packet& packet : sealed) {
      const std::size_t length = packet.size();
      const std::size_t header = rtp_header_length(packet.data(), length);
      packet.resize(length + kRoom);
      const bool in_place = n % 2 == 0;
      if (!in_place)
        std::fill(packet.begin() + static_cast<std::ptrdiff_t>(header), packet.end(), std::byte{});
      const std::byte* from = in_place ? packet.data() : clear[n].data();
      const SrtpPacket own{packet.data(), length, header, first_index + n};
      if (gcm_) {
        GcmJob job;
        gcm_->prepare(job, own, from);
        job.seal(ciphers_.manager());
        packet.resize(length + SrtpGcm::kTag);
      } else {
        batch_.add(*cm_, own, from);
      }
      ++n;
    }
    if (cm_) {
      batch_.seal(ciphers_.manager());
      for (std::size_t i = 0; i < n; ++i) sealed[i].resize(clear[i].size() + cm_->tag());
    }
    EXPECT_EQ(clear, before);
    return sealed;
  }

  // Those that are not genuine come back empty.
  std::vector<Packet> open(const std::vector<Packet>& sealed, std::uint64_t first_index) {
    std::vector<Packet> opened = sealed;
    const std::size_t tag = gcm_ ? SrtpGcm::kTag : cm_->tag();
    std::size_t n = 0;
    for (Packet& packet : opened) {
      const std::size_t header = rtp_header_length(packet.data(), packet.size());
      const std::uint64_t index = first_index + n++;
      if (gcm_) {
        const bool good =
            gcm_->open(ciphers_.manager(), {packet.data(), packet.size() - tag, header, index});
        packet.resize(good ? packet.size() - tag : 0);
      } else {
        batch_.add(*cm_, {packet.data(), packet.size() - tag, header, index});
      }
    }
    if (cm_) {
      const auto good = batch_.open(ciphers_.manager());
      for (std::size_t i = 0; i < n; ++i) opened[i].resize(good[i] ? opened[i].size() - tag : 0);
    }
    return opened;
  }

 private:
  Ciphers ciphers_ = *Ciphers::make();
  Secret<SrtpGcm> gcm_;
  Secret<SrtpCm> cm_;
  SrtpCmBatch batch_;
};

class SrtpPeerTest : public testing::TestWithParam<Suite> {
 protected:
  std::mt19937_64 random_{static_cast<unsigned>(GetParam()) + 11};

  SrtpMaster random_master() {
    SrtpMaster master;
    const bool wide = GetParam() == Suite::Gcm256 || GetParam() == Suite::Cm256;
    master.bits = wide ? KeyBits::Aes256 : KeyBits::Aes128;
    for (std::byte& byte : master.key) byte = static_cast<std::byte>(random_());
    const std::size_t salt = is_gcm(GetParam()) ? 12 : 14;
    for (std::size_t i = 0; i < salt; ++i) master.salt[i] = static_cast<std::byte>(random_());
    return master;
  }

  Packet random_packet(std::uint64_t index) {
    return test::random_rtp<std::byte>(random_, index, kSsrc);
  }

  std::vector<Packet> random_batch(std::uint64_t first) {
    std::vector<Packet> batch(1 + random_() % SrtpCmBatch::kMost);
    for (Packet& packet : batch) packet = random_packet(first++);
    return batch;
  }
};

TEST_P(SrtpPeerTest, both_make_the_same_bytes_and_open_each_others_through_roll_overs) {
  const SrtpMaster master = random_master();
  Peer sender(GetParam(), master, true);
  Peer receiver(GetParam(), master, false);
  Ours ours(GetParam(), master);
  const std::uint64_t wanted = test::srtp_packets_wanted();
  std::uint64_t index = 65'000;  // libsrtp2 begins with roll-over counter 0
  for (std::uint64_t done = 0; done < wanted;) {
    const std::vector<Packet> clear = random_batch(index);
    const std::vector<Packet> sealed = ours.seal(clear, index);
    const std::vector<Packet> opened = ours.open(sealed, index);
    for (std::size_t i = 0; i < clear.size(); ++i) {
      ASSERT_EQ(sealed[i], sender.seal(clear[i])) << "index " << index + i;
      ASSERT_EQ(receiver.open(sealed[i]), clear[i]) << "index " << index + i;
      ASSERT_EQ(opened[i], clear[i]) << "index " << index + i;
    }
    index += clear.size();
    done += clear.size();
  }
  EXPECT_GT(index, 65'536u);
}

TEST_P(SrtpPeerTest, one_flipped_bit_anywhere_or_another_index_is_a_forgery) {
  const SrtpMaster master = random_master();
  Ours ours(GetParam(), master);
  for (int round = 0; round < 40; ++round) {
    std::vector<Packet> clear(32);
    for (std::uint64_t n = 0; n < 32; ++n) clear[n] = random_packet(7'000 + n);
    std::vector<Packet> sealed = ours.seal(clear, 7'000);
    std::vector<bool> changed(sealed.size());
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      changed[i] = random_() % 2 == 0;
      if (!changed[i]) continue;
      // Not the first byte or an extension's length, which say where the header ends.
      const std::size_t at =
          sealed[i].size() - 1 - random_() % std::min<std::size_t>(sealed[i].size() - 12, 60);
      sealed[i][at] ^= static_cast<std::byte>(1u << random_() % 8);
    }
    const std::vector<Packet> opened = ours.open(sealed, 7'000);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      ASSERT_EQ(opened[i].empty(), changed[i]);
      if (!changed[i]) {
        ASSERT_EQ(opened[i], clear[i]);
      }
    }
  }
  const std::vector<Packet> clear{random_packet(9)};
  const std::vector<Packet> sealed = ours.seal(clear, 9);
  EXPECT_TRUE(ours.open(sealed, 9 + 65'536)[0].empty());
  EXPECT_EQ(ours.open(sealed, 9)[0], clear[0]);
}

TEST_P(SrtpPeerTest, a_packet_that_is_all_header_is_sealed_too) {
  const SrtpMaster master = random_master();
  Peer receiver(GetParam(), master, false);
  Ours ours(GetParam(), master);
  Packet bare = random_packet(3);
  bare.resize(12);
  bare[0] = std::byte{0x80};
  const std::vector<Packet> sealed = ours.seal({bare, random_packet(4)}, 3);
  EXPECT_EQ(receiver.open(sealed[0]), bare);
  EXPECT_EQ(ours.open(sealed, 3)[0], bare);
}

INSTANTIATE_TEST_SUITE_P(Suites, SrtpPeerTest,
                         testing::Values(Suite::Gcm128, Suite::Gcm256, Suite::Cm80, Suite::Cm32,
                                         Suite::Cm256));

}  // namespace
}  // namespace castgate
