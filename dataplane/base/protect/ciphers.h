// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#define NO_COMPAT_IMB_API_053  // whose names are OpenSSL's as well
#include <intel-ipsec-mb.h>
#include <memory>
#include <span>

#include "dataplane/base/error.h"

namespace castgate {

// IPsec-MB's routines for the processor that this is, and the lanes in which they work. One
// thread's alone.
class Ciphers {
 public:
  // Fails where the processor has no AES instructions.
  static Result<Ciphers> make();

  IMB_MGR* manager() const noexcept { return manager_.get(); }

 private:
  struct Free {
    void operator()(IMB_MGR* manager) const noexcept;
  };
  Ciphers() = default;

  std::unique_ptr<IMB_MGR, Free> manager_;
};

enum class KeyBits : std::uint16_t { Aes128 = 128, Aes256 = 256 };

constexpr std::size_t key_bytes(KeyBits bits) noexcept {
  return static_cast<std::size_t>(bits) / 8;
}

// Round keys of AES: 15 of them for 256 bits.
using AesSchedule = std::array<std::uint8_t, 240>;

// Reads as AES in counter mode: `into` becomes the key stream from `counter` on.
void aes_key_stream(const Ciphers& ciphers, std::span<const std::byte> key,
                    const std::array<std::byte, 16>& counter, std::span<std::byte> into);

// A key of AES-GCM with what each packet needs of it; the library's own type is not aligned as its
// routines want it. Holds key material: for Secret<> alone.
class alignas(64) GcmKey {
 public:
  static constexpr std::size_t kNonce = 12;
  static constexpr std::size_t kTag = 16;

  // What one nonce seals or opens: `length` bytes, below 2^36, from `from` to `to`, which may be
  // the same. `bound` is authenticated beside them.
  struct Message {
    std::byte* to;
    const std::byte* from;
    std::size_t length;
    const std::byte* nonce;  // kNonce bytes
    std::span<const std::byte> bound;
    std::byte* tag;  // kTag bytes, written or compared
  };

  // `key`: 16 or 32 bytes.
  GcmKey(const Ciphers& ciphers, std::span<const std::byte> key);

  void seal(IMB_MGR* manager, const Message& message) const noexcept {
    gcm_context_data context;
    const auto seal = wide_ ? manager->gcm256_enc : manager->gcm128_enc;
    seal(&data_, &context, bytes(message.to), bytes(message.from), message.length,
         bytes(message.nonce), bytes(message.bound.data()), message.bound.size(),
         bytes(message.tag), kTag);
  }

  // False where the tag is not theirs; what `to` has then means nothing.
  bool open(IMB_MGR* manager, const Message& message) const noexcept;

 private:
  static std::uint8_t* bytes(std::byte* at) noexcept { return reinterpret_cast<std::uint8_t*>(at); }
  static const std::uint8_t* bytes(const std::byte* at) noexcept {
    return reinterpret_cast<const std::uint8_t*>(at);
  }

  gcm_key_data data_;
  bool wide_;
};

}  // namespace castgate
