// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/protect/ciphers.h"
#include "dataplane/base/protect/secret_memory.h"

namespace castgate {

// What is told to receivers: RFC 3711 8.2. Holds key material: for Secret<> alone.
struct SrtpMaster {
  std::array<std::byte, 32> key{};
  std::array<std::byte, 14> salt{};  // of 12 bytes (RFC 7714) the last two are zero
  KeyBits bits = KeyBits::Aes128;

  std::span<const std::byte> key_span() const noexcept { return {key.data(), key_bytes(bits)}; }
};

// Of a key file's bytes: the key, then 12 or 14 bytes of salt.
Secret<SrtpMaster> read_srtp_master(std::span<const std::byte> bytes, KeyBits bits);

// What is made of it: RFC 3711 4.3.1, its labels.
enum class SrtpLabel : std::uint8_t {
  RtpKey = 0,
  RtpAuth = 1,
  RtpSalt = 2,
  RtcpKey = 3,
  RtcpAuth = 4,
  RtcpSalt = 5
};

// The session key, salt or authentication key, never changed within a master key
// (key derivation rate 0). AES_CM PRF, or AES_256_CM_PRF for 256 bits (RFC 6188).
void derive_srtp_key(const Ciphers& ciphers, const SrtpMaster& master, SrtpLabel label,
                     std::span<std::byte> into);

}  // namespace castgate
