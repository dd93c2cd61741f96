// SPDX-License-Identifier: Apache-2.0
// How what leaves is encrypted: one field per YAML key, as in spec.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/address.h"
#include "dataplane/base/instant.h"
#include "dataplane/base/protect/epoch_lease.h"
#include "dataplane/contract/epoch_key.h"

namespace castgate {

enum class ProtectProfile : std::uint8_t {
  SrtpGcm,
  SrtpCm,
  EspTunnel,
  EspTunnelPreserve,
  EspTransport,
  None
};

// Who computes AES-GCM.
enum class ProtectBackend : std::uint8_t { IpsecMb, Cryptodev };

// Whose a key is: all receivers', or each client's own.
enum class Isolation : std::uint8_t { Group, PerClient };

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
  ProtectBackend backend = ProtectBackend::IpsecMb;
  Isolation isolation = Isolation::Group;
  unsigned key_bits = 128;
  unsigned tag_bits = 80;      // profile: srtp_cm
  unsigned mki_bytes = 0;      // SRTP
  unsigned max_packets = 0;    // sealed with one key since the start; 0: as many as it allows
  unsigned rekey_packets = 0;  // of one key, before the next one's turn; 0: 80 % of the most
  Nanoseconds max_time{0};     // that one key seals; 0: any
  Nanoseconds rekey_time{0};   // of one key, before the next one's turn; 0: 80 % of max_time
  std::uint32_t spi = 0;       // ESP, of epoch 1
  bool esn = true;             // ESP: sequence numbers of 64 bits
  InnerHeaders inner;          // ESP
  std::string key_file;
  std::vector<EpochKey> keys;  // as the control plane read them from there, by ascending epochs
  std::shared_ptr<EpochLease> epochs;  // null: the first one begins, and each may follow

  bool is_on() const noexcept { return profile != ProtectProfile::None; }
  bool is_srtp() const noexcept {
    return profile == ProtectProfile::SrtpGcm || profile == ProtectProfile::SrtpCm;
  }
  bool is_esp() const noexcept { return is_on() && !is_srtp(); }
  // The key is then what those of clients are made of, and seals nothing itself.
  bool is_isolated() const noexcept { return is_on() && isolation == Isolation::PerClient; }
  // Do both make the same bytes of a packet?
  bool operator==(const ProtectSpec& other) const noexcept {
    return profile == other.profile && backend == other.backend && isolation == other.isolation &&
           key_bits == other.key_bits && tag_bits == other.tag_bits &&
           mki_bytes == other.mki_bytes && max_packets == other.max_packets &&
           rekey_packets == other.rekey_packets && max_time == other.max_time &&
           rekey_time == other.rekey_time && spi == other.spi && esn == other.esn &&
           inner == other.inner && key_file == other.key_file && keys == other.keys;
  }
};

// How packets are sealed once for all that get them; in the clear where that is done for each
// client apart.
inline ProtectSpec before_fan_out(const ProtectSpec& protect) {
  return protect.is_isolated() ? ProtectSpec{} : protect;
}

// Bytes of one key and its salt in a key file.
std::size_t key_file_bytes(const ProtectSpec& protect) noexcept;

// What an SRTP packet grows by: tag and MKI.
unsigned srtp_growth(const ProtectSpec& protect) noexcept;

// What receivers of ESP know an epoch's key by.
constexpr std::uint32_t spi_of(const ProtectSpec& protect, std::uint32_t epoch) noexcept {
  return protect.spi + (epoch - 1);
}

// How it leaves.
struct OuterHeaders {
  bool v6 = false;
  bool raw_esp = false;  // else UDP
};
// The IP packet that a UDP payload of `payload` bytes becomes, bytes.
unsigned protected_packet(const ProtectSpec& protect, unsigned payload,
                          const OuterHeaders& outer) noexcept;

}  // namespace castgate
