// SPDX-License-Identifier: Apache-2.0
// How a leg that arrives encrypted is opened: one field per YAML key, as in spec.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "dataplane/base/protect/key_bytes.h"

namespace castgate {

enum class OpenProfile : std::uint8_t { SrtpGcm, SrtpCm, None };

struct OpenSpec {
  OpenProfile profile = OpenProfile::None;
  unsigned key_bits = 128;
  unsigned tag_bits = 80;          // profile: srtp_cm
  unsigned replay_window = 1'024;  // packets that may come out of order, of each SSRC
  std::uint32_t roc = 0;           // roll-over counter at which the first packet is expected
  std::string key_file;
  SharedKey key;  // as the control plane read it from there

  bool is_on() const noexcept { return profile != OpenProfile::None; }
  bool has_same_key(const OpenSpec& other) const noexcept {
    return profile == other.profile && key_bits == other.key_bits &&
           (key == other.key || (key && other.key && *key == *other.key));
  }
  bool operator==(const OpenSpec& other) const noexcept {
    return has_same_key(other) && tag_bits == other.tag_bits &&
           replay_window == other.replay_window && roc == other.roc && key_file == other.key_file;
  }
};

// Bytes of key and salt in a key file.
constexpr std::size_t key_file_bytes(const OpenSpec& open) noexcept {
  const std::size_t salt = open.profile == OpenProfile::SrtpGcm ? 12 : 14;
  return open.key_bits / 8 + salt;
}

}  // namespace castgate
