// SPDX-License-Identifier: Apache-2.0
// How a leg that arrives encrypted is opened: one field per YAML key, as in spec.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "dataplane/base/address.h"
#include "dataplane/base/protect/key_bytes.h"

namespace castgate {

enum class OpenProfile : std::uint8_t {
  SrtpGcm,
  SrtpCm,
  EspTunnel,
  EspTunnelPreserve,
  EspTransport,
  None
};

// Whose packets an association carries.
struct OpenInner {
  Endpoint to;
  std::optional<IpAddress> source;  // none: any
  bool operator==(const OpenInner&) const = default;
};

struct OpenSpec {
  OpenProfile profile = OpenProfile::None;
  unsigned key_bits = 128;
  unsigned tag_bits = 80;          // profile: srtp_cm
  unsigned replay_window = 1'024;  // packets that may come out of order, of each SSRC
  std::uint32_t roc = 0;           // SRTP: roll-over counter at which the first packet is expected
  std::uint32_t spi = 0;           // ESP
  bool esn = true;                 // ESP: sequence numbers of 64 bits
  bool udp_encapsulation = false;  // ESP: comes in UDP; else as IP protocol 50
  OpenInner inner;                 // ESP
  std::string key_file;
  SharedKey key;  // as the control plane read it from there

  constexpr bool is_on() const noexcept { return profile != OpenProfile::None; }
  constexpr bool is_esp() const noexcept { return is_on() && profile >= OpenProfile::EspTunnel; }
  // IP protocol 50.
  bool is_raw_esp() const noexcept { return is_esp() && !udp_encapsulation; }
  // Do the numbers of both go on from one another?
  bool has_same_key(const OpenSpec& other) const noexcept {
    return profile == other.profile && key_bits == other.key_bits && spi == other.spi &&
           esn == other.esn && (key == other.key || (key && other.key && *key == *other.key));
  }
  bool operator==(const OpenSpec& other) const noexcept {
    return has_same_key(other) && tag_bits == other.tag_bits &&
           replay_window == other.replay_window && roc == other.roc &&
           udp_encapsulation == other.udp_encapsulation && inner == other.inner &&
           key_file == other.key_file;
  }
};

// Bytes of key and salt in a key file.
constexpr std::size_t key_file_bytes(const OpenSpec& open) noexcept {
  const std::size_t srtp = open.profile == OpenProfile::SrtpGcm ? 12 : 14;
  return open.key_bits / 8 + (open.is_esp() ? 4 : srtp);
}

}  // namespace castgate
