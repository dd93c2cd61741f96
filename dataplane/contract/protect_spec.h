// SPDX-License-Identifier: Apache-2.0
// How what leaves is encrypted: one field per YAML key, as in spec.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "dataplane/base/protect/key_bytes.h"

namespace castgate {

enum class ProtectProfile : std::uint8_t { SrtpGcm, SrtpCm, None };

struct ProtectSpec {
  ProtectProfile profile = ProtectProfile::None;
  unsigned key_bits = 128;
  unsigned tag_bits = 80;    // profile: srtp_cm
  unsigned max_packets = 0;  // sealed with the key since the start; 0: as many as SRTP allows
  std::string key_file;
  SharedKey key;  // as the control plane read it from there

  bool is_on() const noexcept { return profile != ProtectProfile::None; }
  // Do both make the same bytes of a packet?
  bool operator==(const ProtectSpec& other) const noexcept {
    const bool same_key = key == other.key || (key && other.key && *key == *other.key);
    return profile == other.profile && key_bits == other.key_bits && tag_bits == other.tag_bits &&
           max_packets == other.max_packets && key_file == other.key_file && same_key;
  }
};

// Bytes of key and salt in a key file.
constexpr std::size_t key_file_bytes(const ProtectSpec& protect) noexcept {
  const std::size_t salt = protect.profile == ProtectProfile::SrtpGcm ? 12 : 14;
  return protect.key_bits / 8 + salt;
}

// What a packet grows by.
constexpr unsigned protect_growth(const ProtectSpec& protect) noexcept {
  switch (protect.profile) {
    case ProtectProfile::SrtpGcm:
      return 16;
    case ProtectProfile::SrtpCm:
      return protect.tag_bits / 8;
    case ProtectProfile::None:
      break;
  }
  return 0;
}

}  // namespace castgate
