// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/protect/gcm_queue.h"
#include "dataplane/base/srtp/srtp_keys.h"
#include "dataplane/base/srtp/srtp_packet.h"

namespace castgate {

// AEAD_AES_128_GCM and AEAD_AES_256_GCM of one master key (RFC 7714): the RTP header stays readable
// and is bound, what follows it is encrypted and followed by the tag; an MKI comes after that.
// `header` is rtp_header_length() of the packet; an index is given out once (ReplayWindow). Holds
// key material: for Secret<> alone.
class SrtpGcm {
 public:
  static constexpr std::size_t kTag = GcmKey::kTag;
  using Salt = std::array<std::byte, GcmKey::kNonce>;

  SrtpGcm(const Ciphers& ciphers, const SrtpMaster& master);

  // Encrypts in place; kTag bytes follow the packet.
  void seal(IMB_MGR* manager, const SrtpPacket& packet) const noexcept {
    GcmJob job;
    prepare(job, packet, packet.at);
    job.seal(manager);
  }
  // For the job's seal(): at packet.at is the header as it leaves; what follows is encrypted there,
  // out of the packet at `from`, which stays as it is and may be the same.
  void prepare(GcmJob& job, const SrtpPacket& packet, const std::byte* from) const noexcept {
    prepare(job, key_, salt_, packet, from);
  }
  // The same with what key() and salt() gave.
  static void prepare(GcmJob& job, const GcmKey& key, const Salt& salt, const SrtpPacket& packet,
                      const std::byte* from) noexcept {
    job.key = &key;
    job.nonce = nonce_of(packet, salt);
    job.message = message_of(packet, from, job.nonce);
  }
  // Decrypts in place; the tag follows the packet. False where it is forged: what it held is lost.
  bool open(IMB_MGR* manager, const SrtpPacket& packet) const noexcept {
    const Nonce nonce = nonce_of(packet, salt_);
    return key_.open(manager, message_of(packet, packet.at, nonce));
  }

  const GcmKey& key() const noexcept { return key_; }
  const Salt& salt() const noexcept { return salt_; }

 private:
  using Nonce = std::array<std::byte, GcmKey::kNonce>;

  static GcmKey::Message message_of(const SrtpPacket& packet, const std::byte* from,
                                    const Nonce& nonce) noexcept {
    return {.to = packet.at + packet.header,
            .from = from + packet.header,
            .length = packet.length - packet.header,
            .nonce = nonce.data(),
            .bound = {packet.at, packet.header},
            .tag = packet.at + packet.length};
  }

  // RFC 7714 8.1: 00 00, SSRC, roll-over counter, sequence number; exclusive or the salt.
  static Nonce nonce_of(const SrtpPacket& packet, const Salt& salt) noexcept {
    constexpr std::size_t kSsrcAt = 8;
    Nonce nonce;
    const auto ssrc = load_raw<std::uint32_t>(packet.at + kSsrcAt);
    const std::uint64_t index_be = std::byteswap(packet.index << 16);
    const auto salt_low = load_raw<std::uint64_t>(salt.data());
    const auto salt_high = load_raw<std::uint32_t>(salt.data() + 8);
    const std::uint64_t low = salt_low ^ (std::uint64_t{ssrc} << 16) ^ (index_be << 48);
    const auto high = salt_high ^ static_cast<std::uint32_t>(index_be >> 16);
    store_raw(nonce.data(), low);
    store_raw(nonce.data() + 8, high);
    return nonce;
  }

  GcmKey key_;
  Salt salt_;
};

}  // namespace castgate
