// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>

#include "dataplane/base/protect/ciphers.h"
#include "dataplane/base/srtp/srtp_keys.h"
#include "dataplane/base/srtp/srtp_packet.h"

namespace castgate {

// AES_CM_128_HMAC_SHA1 of one master key, and with 256 bits AES_256_CM_HMAC_SHA1 (RFC 3711, 6188).
// Holds key material: for Secret<> alone.
class alignas(16) SrtpCm {
 public:
  // `tag`: bytes of it on the wire, 10 or 4.
  SrtpCm(const Ciphers& ciphers, const SrtpMaster& master, std::size_t tag);

  std::size_t tag() const noexcept { return tag_; }

 private:
  friend class SrtpCmBatch;
  using Digest = std::array<std::uint32_t, 5>;

  AesSchedule schedule_{};
  Digest inner_{};  // SHA-1 over the authentication key exclusive or ipad, opad
  Digest outer_{};
  std::array<std::byte, 16> salt_{};  // the last two are the counter's
  std::size_t tag_;
  KeyBits bits_;
};

// Packets that are sealed, or opened, at once: the more, the cheaper each. Keys may differ from one
// to the next, but not their bits.
class SrtpCmBatch {
 public:
  static constexpr unsigned kMost = 128;
  // What add() needs behind the packet to seal it, whatever the tag's length; what of it the tag
  // does not take is scratch.
  static constexpr std::size_t kRoom = 12;

  SrtpCmBatch() noexcept;
  SrtpCmBatch(const SrtpCmBatch&) = delete;  // its jobs point into it
  SrtpCmBatch& operator=(const SrtpCmBatch&) = delete;

  unsigned size() const noexcept { return count_; }
  // May a packet under these keys be added? Else what there is has to be sealed or opened first.
  bool takes(const SrtpCm& keys) const noexcept {
    return count_ == 0 || (count_ < kMost && keys.bits_ == bits_);
  }

  // To seal it: kRoom bytes follow the packet. To open it: its tag does. All of it stays there
  // until seal() or open().
  void add(const SrtpCm& keys, const SrtpPacket& packet) noexcept { add(keys, packet, packet.at); }
  // To seal it out of the packet at `from`, of which only the header is at packet.at yet, as it
  // leaves.
  void add(const SrtpCm& keys, const SrtpPacket& packet, const std::byte* from) noexcept;

  // Encrypts each and puts its tag behind it.
  void seal(IMB_MGR* manager) noexcept;
  // Decrypts each whose tag is right and says which, by order of add(). The tag's place holds
  // nothing of use afterwards.
  std::bitset<kMost> open(IMB_MGR* manager) noexcept;

 private:
  struct Entry {
    std::array<std::byte, 16> counter;
    std::array<std::byte, 12> tag;   // as computed
    std::array<std::byte, 12> wire;  // as received
    std::byte* at;                   // the packet
    std::byte* end;                  // of it: where the tag begins
    std::uint32_t turns_be;          // roll-over counter
    std::uint16_t tag_length;
  };

  void authenticate(IMB_MGR* manager) noexcept;
  void encrypt(IMB_MGR* manager, IMB_JOB* jobs, unsigned count) const noexcept;

  unsigned count_ = 0;
  KeyBits bits_ = KeyBits::Aes128;
  std::array<Entry, kMost> entries_;
  std::array<IMB_JOB, kMost> jobs_{};
  std::array<IMB_JOB, kMost> genuine_{};
};

}  // namespace castgate
