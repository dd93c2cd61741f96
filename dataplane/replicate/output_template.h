// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "dataplane/base/address.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// What the destinations of one output have in common, but for a second address family.
struct HeaderKind {
  std::uint16_t port = 0;  // index into Spec::ports
  std::uint8_t ttl = 0;    // 0: received less one
  std::uint8_t tos = 0;
  std::uint8_t tos_keep = 0;  // bits taken from the received packet
  bool is_v6 = false;
  std::uint8_t length = 42;  // of the whole header
  std::uint8_t l3_at = 14;
};
static_assert(std::has_unique_object_representations_v<HeaderKind>);

// The headers of one destination, ready to be written before a UDP payload, with the sums that
// finish them. One line serves untagged IPv4, the usual destination; longer headers lie elsewhere.
struct alignas(64) HeaderTemplate : HeaderKind {
  static constexpr std::size_t kShort = 42;  // Ethernet, IPv4, UDP
  static constexpr std::size_t kRaw = 34;    // Ethernet, IPv4
  static constexpr std::size_t kLong = 70;   // Ethernet, two tags, IPv6, UDP

  std::uint32_t packets = 0;  // low bits; they are the IPv4 identification, too
  std::uint32_t bytes = 0;
  std::array<std::uint8_t, kShort> header{};
  std::uint16_t ip_sum = 0;        // of the fixed words of the IPv4 header, as they lie in memory
  std::uint16_t pseudo_sum = 0;    // of addresses and UDP ports, likewise
  std::uint16_t most_payload = 0;  // UDP payload that the MTU lets through

  // Equal where everything in HeaderKind is.
  std::uint64_t kind() const noexcept {
    return std::bit_cast<std::uint64_t>(static_cast<const HeaderKind&>(*this));
  }
  bool is_short() const noexcept { return length == kShort && l3_at == 14; }
  // ESP as IP's own protocol: nothing comes between the two.
  bool is_raw() const noexcept { return length - l3_at == (is_v6 ? 40 : 20); }
  bool is_plain_raw() const noexcept { return length == kRaw && ttl != 0; }
  // Untagged IPv4 whose TTL does not depend on the packet.
  bool is_plain() const noexcept { return is_short() && ttl != 0; }
};
static_assert(sizeof(HeaderTemplate) == 64);

// The owner of the template keeps the carries.
template <class High>
[[gnu::always_inline]] inline void count_sent(HeaderTemplate& headers, High& packets_high,
                                              High& bytes_high, std::uint32_t bytes) noexcept {
  if (++headers.packets == 0) [[unlikely]]
    ++packets_high;
  headers.bytes += bytes;
  if (headers.bytes < bytes) [[unlikely]]
    ++bytes_high;
}

using LongHeader = std::array<std::uint8_t, HeaderTemplate::kLong>;

// A multicast output's.
struct OutputTemplate : HeaderTemplate {
  // Second line: rare.
  LongHeader long_header{};
  std::uint64_t packets_high = 0;  // carries
  std::uint64_t bytes_high = 0;
  std::uint64_t drops = 0;
};

// Where packets go and how they look.
struct Destination {
  MacAddress next_hop;
  VlanTags vlan;
  IpAddress source;
  std::uint16_t source_port = 0;
  Endpoint to;
  std::uint8_t ttl = 0;              // 0: received less one
  std::optional<std::uint8_t> dscp;  // absent keeps what was received
  unsigned port = 0;                 // index into Spec::ports
  unsigned mtu = 1500;               // largest IP packet, bytes
  bool raw_esp = false;              // IP protocol 50, else UDP
};

// `long_header` gets the whole header whatever its length. Counters begin at zero.
HeaderTemplate make_headers(const Destination& destination, const MacAddress& port_mac,
                            LongHeader& long_header);

// `port` of the spec, with its MAC and MTU, is where the output leaves.
OutputTemplate make_template(const OutputSpec& output, const PortSpec& port,
                             const MacAddress& port_mac);

}  // namespace castgate
