// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/address.h"

namespace castgate {

enum class ParseVerdict : std::uint8_t {
  Udp,   // a whole UDP datagram; the layout is complete
  Esp,   // IP protocol 50: the layout is complete but for UDP ports
  Host,  // ARP, ICMP, IGMP, ND, MLD or another protocol that only the host stack understands
  Runt,
  NotIp,
  NotUdp,
  IpBadHeader,
  IpTruncated,
  IpChecksum,
  UdpLength,
  UdpChecksum,
  Udp6ZeroChecksum,
  Fragment,
  VlanDepth,
  Ip6ExtensionLimit,
  Ip6ExtensionTruncated,
  Ttl,
};

// IcmpError: of either version, that a packet did not get where it was to go. Tcp: to one station.
enum class HostKind : std::uint8_t { None, Arp, Icmp, Igmp, NeighbourOrMld, IcmpError, Tcp };

struct ParseChecks {
  bool ip_checksum = true;
  bool udp_checksum = false;
};

// Where the parts of a frame lie, in bytes from its start. Filled as far as parsing came.
struct PacketLayout {
  VlanTags tags;
  bool is_v6 = false;
  bool has_ip_options = false;
  bool is_corrupt = false;  // for the caller to note
  HostKind host = HostKind::None;
  std::uint16_t l3_at = 0;
  std::uint16_t udp_at = 0;  // of ESP, which has no UDP header: 8 before its SPI
  std::uint32_t end = 0;     // of the UDP payload or of ESP: what follows is padding
  std::uint32_t spi = 0;     // of ESP
  IpAddress source;
  IpAddress destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
};

// Reads Ethernet, up to two VLAN tags (0x8100, 0x88a8, 0x9100), IPv4 or IPv6 with extension
// headers, and UDP from one whole frame without FCS. Never reads outside it, whatever it holds.
ParseVerdict parse_packet(std::span<const std::byte> frame, const ParseChecks& checks,
                          PacketLayout& layout) noexcept;

// The same from the IP header on, which stands `l3_at` bytes into `frame`.
ParseVerdict parse_ip(std::span<const std::byte> frame, std::size_t l3_at, bool is_v6,
                      const ParseChecks& checks, PacketLayout& layout) noexcept;

}  // namespace castgate
