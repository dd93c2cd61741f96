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

  SrtpGcm(const Ciphers& ciphers, const SrtpMaster& master);

  // Encrypts in place; kTag bytes follow the packet.
  void seal(IMB_MGR* manager, const SrtpPacket& packet) const noexcept {
    GcmJob job;
    prepare(job, packet, packet.at);
    job.seal(manager);
  }
  // For the job's seal(): the packet stays as it is until then, and goes to `to`, where it is kTag
  // longer; that may be packet.at.
  void prepare(GcmJob& job, const SrtpPacket& packet, std::byte* to) const noexcept {
    if (to != packet.at) std::memcpy(to, packet.at, packet.header);
    job.key = &key_;
    job.nonce = nonce_of(packet);
    job.message = message_of(packet, to, job.nonce);
  }
  // Decrypts in place; the tag follows the packet. False where it is forged: what it held is lost.
  bool open(IMB_MGR* manager, const SrtpPacket& packet) const noexcept {
    const Nonce nonce = nonce_of(packet);
    return key_.open(manager, message_of(packet, packet.at, nonce));
  }

 private:
  using Nonce = std::array<std::byte, GcmKey::kNonce>;

  static GcmKey::Message message_of(const SrtpPacket& packet, std::byte* to,
                                    const Nonce& nonce) noexcept {
    return {.to = to + packet.header,
            .from = packet.at + packet.header,
            .length = packet.length - packet.header,
            .nonce = nonce.data(),
            .bound = {to, packet.header},
            .tag = to + packet.length};
  }

  // RFC 7714 8.1: 00 00, SSRC, roll-over counter, sequence number; exclusive or the salt.
  Nonce nonce_of(const SrtpPacket& packet) const noexcept {
    constexpr std::size_t kSsrcAt = 8;
    Nonce nonce;
    const auto ssrc = load_raw<std::uint32_t>(packet.at + kSsrcAt);
    const std::uint64_t index_be = std::byteswap(packet.index << 16);
    const auto salt_low = load_raw<std::uint64_t>(salt_.data());
    const auto salt_high = load_raw<std::uint32_t>(salt_.data() + 8);
    const std::uint64_t low = salt_low ^ (std::uint64_t{ssrc} << 16) ^ (index_be << 48);
    const auto high = salt_high ^ static_cast<std::uint32_t>(index_be >> 16);
    store_raw(nonce.data(), low);
    store_raw(nonce.data() + 8, high);
    return nonce;
  }

  GcmKey key_;
  std::array<std::byte, GcmKey::kNonce> salt_;
};

}  // namespace castgate
