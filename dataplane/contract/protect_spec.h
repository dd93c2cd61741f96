// SPDX-License-Identifier: Apache-2.0
// How what leaves is encrypted: one field per YAML key, as in spec.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "dataplane/base/address.h"
#include "dataplane/base/protect/key_bytes.h"
#include "dataplane/base/protect/number_lease.h"

namespace castgate {

enum class ProtectProfile : std::uint8_t {
  SrtpGcm,
  SrtpCm,
  EspTunnel,
  EspTunnelPreserve,
  EspTransport,
  None
};

// Addresses and UDP ports inside an ESP packet.
struct InnerHeaders {
  Endpoint to;
  IpAddress source;
  std::uint16_t source_port = 0;
  std::uint8_t ttl = 64;  // 0: received TTL less one
  bool operator==(const InnerHeaders&) const = default;
};

struct ProtectSpec {
  ProtectProfile profile = ProtectProfile::None;
  unsigned key_bits = 128;
  unsigned tag_bits = 80;    // profile: srtp_cm
  unsigned max_packets = 0;  // sealed with the key since the start; 0: as many as it allows
  std::uint32_t spi = 0;     // ESP
  bool esn = true;           // ESP: sequence numbers of 64 bits
  InnerHeaders inner;        // ESP
  std::string key_file;
  SharedKey key;                         // as the control plane read it from there
  std::shared_ptr<NumberLease> numbers;  // ESP; null: from 1 on, as many as there are

  bool is_on() const noexcept { return profile != ProtectProfile::None; }
  bool is_srtp() const noexcept {
    return profile == ProtectProfile::SrtpGcm || profile == ProtectProfile::SrtpCm;
  }
  bool is_esp() const noexcept { return is_on() && !is_srtp(); }
  // Do both make the same bytes of a packet?
  bool operator==(const ProtectSpec& other) const noexcept {
    const bool same_key = key == other.key || (key && other.key && *key == *other.key);
    return profile == other.profile && key_bits == other.key_bits && tag_bits == other.tag_bits &&
           max_packets == other.max_packets && spi == other.spi && esn == other.esn &&
           inner == other.inner && key_file == other.key_file && same_key;
  }
};

// Bytes of key and salt in a key file.
std::size_t key_file_bytes(const ProtectSpec& protect) noexcept;

// What an SRTP packet grows by.
unsigned srtp_growth(const ProtectSpec& protect) noexcept;

// How it leaves.
struct OuterHeaders {
  bool v6 = false;
  bool raw_esp = false;  // else UDP
};
// The IP packet that a UDP payload of `payload` bytes becomes, bytes.
unsigned protected_packet(const ProtectSpec& protect, unsigned payload,
                          const OuterHeaders& outer) noexcept;

}  // namespace castgate
