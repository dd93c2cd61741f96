// SPDX-License-Identifier: Apache-2.0
// How a leg that arrives encrypted is opened: one field per YAML key, as in spec.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/address.h"
#include "dataplane/contract/epoch_key.h"

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
  unsigned mki_bytes = 0;          // SRTP
  unsigned replay_window = 1'024;  // packets that may come out of order, of each SSRC
  std::uint32_t roc = 0;           // SRTP: roll-over counter at which the first packet is expected
  std::uint32_t spi = 0;           // ESP, of epoch 1
  bool esn = true;                 // ESP: sequence numbers of 64 bits
  bool udp_encapsulation = false;  // ESP: comes in UDP; else as IP protocol 50
  OpenInner inner;                 // ESP
  std::string key_file;
  std::vector<EpochKey> keys;  // as the control plane read them from there, by ascending epochs

  constexpr bool is_on() const noexcept { return profile != OpenProfile::None; }
  constexpr bool is_esp() const noexcept { return is_on() && profile >= OpenProfile::EspTunnel; }
  // IP protocol 50.
  bool is_raw_esp() const noexcept { return is_esp() && !udp_encapsulation; }
  // What packets of an epoch's key bear.
  constexpr std::uint32_t spi_of(std::uint32_t epoch) const noexcept { return spi + (epoch - 1); }
  bool operator==(const OpenSpec&) const = default;
};

// Bytes of key and salt in a key file.
constexpr std::size_t key_file_bytes(const OpenSpec& open) noexcept {
  const std::size_t srtp = open.profile == OpenProfile::SrtpGcm ? 12 : 14;
  return open.key_bits / 8 + (open.is_esp() ? 4 : srtp);
}

}  // namespace castgate
