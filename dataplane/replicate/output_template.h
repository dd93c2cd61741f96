// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/base/address.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// The headers of one output, ready to be written before a UDP payload, with the sums that finish
// them. The first line serves untagged IPv4, the usual output; longer headers lie in the second.
struct alignas(64) OutputTemplate {
  static constexpr std::size_t kShort = 42;  // Ethernet, IPv4, UDP
  static constexpr std::size_t kLong = 70;   // Ethernet, two tags, IPv6, UDP

  std::uint32_t packets = 0;  // low bits; they are the IPv4 identification, too
  std::uint32_t bytes = 0;
  std::array<std::uint8_t, kShort> header{};
  std::uint16_t ip_sum = 0;        // of the fixed words of the IPv4 header, as they lie in memory
  std::uint16_t pseudo_sum = 0;    // of addresses and UDP ports, likewise
  std::uint16_t most_payload = 0;  // UDP payload that the MTU lets through
  std::uint16_t port = 0;          // index into Spec::ports
  std::uint8_t ttl = 0;            // 0: received less one
  std::uint8_t tos = 0;
  std::uint8_t tos_keep = 0;  // bits taken from the received packet
  bool is_v6 = false;
  std::uint8_t length = kShort;  // of the whole header
  std::uint8_t l3_at = 14;
  // Second line: rare.
  std::array<std::uint8_t, kLong> long_header{};
  std::uint64_t packets_high = 0;  // carries
  std::uint64_t bytes_high = 0;
  std::uint64_t drops = 0;

  bool is_short() const noexcept { return length == kShort && !is_v6; }
  // Untagged IPv4 whose TTL does not depend on the packet.
  bool is_plain() const noexcept { return is_short() && ttl != 0; }
  const std::uint8_t* bytes_of_header() const noexcept {
    return is_short() ? header.data() : long_header.data();
  }
};

static_assert(offsetof(OutputTemplate, long_header) == 64);

// `port` of the spec, with its MAC and MTU, is where the output leaves.
OutputTemplate make_template(const OutputSpec& output, const PortSpec& port,
                             const MacAddress& port_mac);

}  // namespace castgate
