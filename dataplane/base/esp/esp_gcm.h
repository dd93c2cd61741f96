// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <span>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/protect/gcm_queue.h"
#include "dataplane/base/protect/secret_memory.h"

namespace castgate {

// What an association's peers agree on. Holds key material: for Secret<> alone.
struct EspMaster {
  std::array<std::byte, 32> key{};
  std::array<std::byte, 4> salt{};
  KeyBits bits = KeyBits::Aes128;

  std::span<const std::byte> key_span() const noexcept { return {key.data(), key_bytes(bits)}; }
};

// Of the key and salt that a key file holds, which are as long as `bits` wants them.
Secret<EspMaster> read_esp_master(std::span<const std::byte> bytes, KeyBits bits);

// Where the parts of an ESP packet are (RFC 4303 2): SPI, sequence number, IV, what is encrypted,
// its padding, the ICV.
struct EspShape {
  static constexpr std::size_t kHead = 16;    // SPI, sequence number, IV
  static constexpr std::size_t kTrailer = 2;  // length of the padding, next header
  static constexpr std::size_t kIcv = GcmKey::kTag;
  static constexpr std::size_t kShortest = kHead + 4 + kIcv;

  // To a multiple of four.
  static constexpr std::size_t padding(std::size_t inner) noexcept {
    return (0 - inner - kTrailer) % 4;
  }
  // What comes behind `inner` bytes.
  static constexpr std::size_t behind(std::size_t inner) noexcept {
    return padding(inner) + kTrailer + kIcv;
  }
  // The whole packet from the SPI to the ICV.
  static constexpr std::size_t sealed(std::size_t inner) noexcept {
    return kHead + inner + behind(inner);
  }
};

// Next headers of what ESP carries.
inline constexpr std::uint8_t kEspIp4 = 4;
inline constexpr std::uint8_t kEspIp6 = 41;
inline constexpr std::uint8_t kEspUdp = 17;

// SPIs 0 to 255 are not for us (RFC 4303 2.1).
inline constexpr std::uint32_t kFirstSpi = 256;

// AES-GCM in ESP (RFC 4106) under one key, with 64-bit sequence numbers (ESN) or 32-bit ones. Holds
// key material: for Secret<> alone.
class EspGcm {
 public:
  EspGcm(const Ciphers& ciphers, const EspMaster& master, bool extended);

  struct Numbers {
    std::uint32_t spi = kFirstSpi;
    std::uint64_t sequence = 1;  // its upper half is not sent
    std::uint64_t iv = 0;        // given out once for each key
  };

  // Encrypts `inner` into a packet of EspShape::sealed() bytes at `to`; in place, `to` is kHead
  // before it.
  void seal(IMB_MGR* manager, std::byte* to, std::span<const std::byte> inner,
            std::uint8_t next_header, const Numbers& numbers) const noexcept {
    GcmJob job;
    prepare(job, to, inner, next_header, numbers);
    job.seal(manager);
  }
  // The same for the job's seal(): all but the encryption is done.
  void prepare(GcmJob& job, std::byte* to, std::span<const std::byte> inner,
               std::uint8_t next_header, const Numbers& numbers) const noexcept {
    store_be32(to, numbers.spi);
    store_be32(to + 4, static_cast<std::uint32_t>(numbers.sequence));
    store_raw(to + kIvAt, std::byteswap(numbers.iv));
    std::byte* sealed = to + EspShape::kHead;
    // Padding and trailer are encrypted with the rest: it has to lie together.
    if (sealed != inner.data()) std::memcpy(sealed, inner.data(), inner.size());
    const std::size_t padding = EspShape::padding(inner.size());
    // 1, 2, 3 of which there are `padding`, its length, the next header.
    std::byte* trailer = sealed + inner.size();
    store_raw(trailer, 0x00030201u);
    store_raw(trailer + padding,
              static_cast<std::uint16_t>(padding | std::size_t{next_header} << 8));
    const std::size_t encrypted = inner.size() + padding + EspShape::kTrailer;
    job.key = &key_;
    job.nonce = nonce_of(to + kIvAt);
    write_bound(job.bound, numbers.spi, numbers.sequence);
    job.message = {.to = sealed,
                   .from = sealed,
                   .length = encrypted,
                   .nonce = job.nonce.data(),
                   .bound = {job.bound.data(), bound_length()},
                   .tag = sealed + encrypted};
  }

  enum class Fault : std::uint8_t { Forged, Malformed };
  struct Opened {
    std::span<std::byte> inner;  // within the packet
    std::uint8_t next_header = 0;
  };
  // Decrypts a whole packet of at least kShortest bytes in place; what it held is lost where that
  // fails. Malformed: genuine, but its padding is not one.
  std::expected<Opened, Fault> open(IMB_MGR* manager, std::span<std::byte> packet,
                                    std::uint64_t sequence) const noexcept;

 private:
  static constexpr std::size_t kIvAt = 8;

  // RFC 4106 5: SPI and sequence number, all 64 bits of it where they are extended.
  std::size_t bound_length() const noexcept { return extended_ ? 12 : 8; }
  void write_bound(std::array<std::byte, 12>& to, std::uint32_t spi,
                   std::uint64_t sequence) const noexcept {
    store_be32(to.data(), spi);
    store_raw(to.data() + 4, std::byteswap(extended_ ? sequence : sequence << 32));
  }
  std::array<std::byte, GcmKey::kNonce> nonce_of(const std::byte* iv) const noexcept {
    std::array<std::byte, GcmKey::kNonce> nonce;
    std::memcpy(nonce.data(), salt_.data(), salt_.size());
    std::memcpy(nonce.data() + salt_.size(), iv, 8);
    return nonce;
  }

  GcmKey key_;
  std::array<std::byte, 4> salt_;
  bool extended_;
};

// The 64-bit number of which a packet carries the lower half (RFC 4303 appendix A2): the one
// nearest to the newest, from the bottom of a window of `window` numbers on.
constexpr std::uint64_t esp_sequence(std::uint64_t newest, std::uint32_t told,
                                     std::uint32_t window) noexcept {
  const auto low = static_cast<std::uint32_t>(newest);
  const std::uint64_t turns = newest >> 32;
  const std::uint32_t bottom = low - window + 1;
  if (low >= window - 1) return (told >= bottom ? turns : turns + 1) << 32 | told;
  // The window reaches back into the turn before; before the first there is none.
  if (told >= bottom && turns != 0) return (turns - 1) << 32 | told;
  return turns << 32 | told;
}

}  // namespace castgate
