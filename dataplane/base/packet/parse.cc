// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/packet/parse.h"

#include <cstring>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/checksum.h"
#include "dataplane/base/packet/vlan_tag.h"

namespace castgate {
namespace {

constexpr std::size_t kEthernet = 14;
constexpr std::size_t kVlanTag = 4;
constexpr std::size_t kIp4 = 20;
constexpr std::size_t kIp6 = 40;
constexpr std::size_t kUdp = 8;
constexpr unsigned kMostExtensions = 8;
constexpr std::size_t kLongestExtensions = 256;

constexpr std::uint16_t kIp4Type = 0x0800;
constexpr std::uint16_t kArpType = 0x0806;
constexpr std::uint16_t kIp6Type = 0x86dd;

constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIgmp = 2;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdpProtocol = 17;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragmentHeader = 44;
constexpr std::uint8_t kEsp = 50;
constexpr std::uint8_t kIcmp6 = 58;
constexpr std::uint8_t kDestinationOptions = 60;

const std::byte* at(std::span<const std::byte> frame, std::size_t offset) noexcept {
  return frame.data() + offset;
}

IpAddress address6(const std::byte* from) noexcept {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), from, bytes.size());
  return IpAddress::v6(bytes);
}

// UDP inside an IP payload that ends at `end`.
ParseVerdict parse_udp(std::span<const std::byte> frame, std::size_t end, const ParseChecks& checks,
                       PacketLayout& layout) noexcept {
  const std::size_t udp = layout.udp_at;
  if (udp + kUdp > end) return ParseVerdict::UdpLength;
  const std::size_t length = load_be16(at(frame, udp + 4));
  if (length < kUdp || udp + length > end) return ParseVerdict::UdpLength;
  layout.source_port = load_be16(at(frame, udp));
  layout.destination_port = load_be16(at(frame, udp + 2));
  layout.end = static_cast<std::uint32_t>(udp + length);
  const bool unsummed = load_be16(at(frame, udp + 6)) == 0;
  if (unsummed && layout.is_v6) return ParseVerdict::Udp6ZeroChecksum;
  if (unsummed || !checks.udp_checksum) return ParseVerdict::Udp;
  const auto addresses =
      layout.is_v6 ? frame.subspan(layout.l3_at + 8u, 32) : frame.subspan(layout.l3_at + 12u, 8);
  return udp_sums_up(addresses, frame.subspan(udp, length)) ? ParseVerdict::Udp
                                                            : ParseVerdict::UdpChecksum;
}

// ESP inside an IP payload that ends at `end`: what of it tells whose it is.
ParseVerdict parse_esp(std::span<const std::byte> frame, std::size_t at_esp, std::size_t end,
                       PacketLayout& layout) noexcept {
  constexpr std::size_t kSpi = 4;
  if (at_esp + kSpi > end) return ParseVerdict::NotUdp;
  layout.udp_at = static_cast<std::uint16_t>(at_esp - kUdp);
  layout.end = static_cast<std::uint32_t>(end);
  layout.spi = load_be32(at(frame, at_esp));
  return ParseVerdict::Esp;
}

// TCP is the doors'; no group of anybody's speaks it.
ParseVerdict parse_other(unsigned protocol, PacketLayout& layout) noexcept {
  if (protocol != kTcp || layout.destination.is_multicast()) return ParseVerdict::NotUdp;
  layout.host = HostKind::Tcp;
  return ParseVerdict::Host;
}

ParseVerdict parse_ip4(std::span<const std::byte> frame, const ParseChecks& checks,
                       PacketLayout& layout) noexcept {
  const std::size_t ip = layout.l3_at;
  if (ip + kIp4 > frame.size()) return ParseVerdict::IpTruncated;
  const auto version = std::to_integer<unsigned>(frame[ip]);
  const std::size_t header = std::size_t{version & 0xf} * 4;
  if (version >> 4 != 4 || header < kIp4) return ParseVerdict::IpBadHeader;
  const std::size_t total = load_be16(at(frame, ip + 2));
  if (total < header) return ParseVerdict::IpBadHeader;
  if (ip + total > frame.size()) return ParseVerdict::IpTruncated;
  if (checks.ip_checksum && fold_sum(ones_sum(at(frame, ip), header)) != 0xffff) {
    return ParseVerdict::IpChecksum;
  }
  if (frame[ip + 8] == std::byte{0}) return ParseVerdict::Ttl;
  layout.source = IpAddress::v4(load_be32(at(frame, ip + 12)));
  layout.destination = IpAddress::v4(load_be32(at(frame, ip + 16)));
  layout.has_ip_options = header > kIp4;
  if ((load_be16(at(frame, ip + 6)) & 0x3fff) != 0) return ParseVerdict::Fragment;
  const auto protocol = std::to_integer<unsigned>(frame[ip + 9]);
  if (protocol == kIcmp || protocol == kIgmp) {
    constexpr std::byte kUnreachable{3};
    const bool error = header < total && frame[ip + header] == kUnreachable;
    layout.host = error ? HostKind::IcmpError : HostKind::Icmp;
    if (protocol == kIgmp) layout.host = HostKind::Igmp;
    return ParseVerdict::Host;
  }
  if (protocol == kEsp) return parse_esp(frame, ip + header, ip + total, layout);
  if (protocol != kUdpProtocol) return parse_other(protocol, layout);
  layout.udp_at = static_cast<std::uint16_t>(ip + header);
  return parse_udp(frame, ip + total, checks, layout);
}

// Walks extension headers to the upper protocol, at most kMostExtensions and kLongestExtensions.
ParseVerdict skip_extensions(std::span<const std::byte> frame, std::size_t end, std::size_t& next,
                             unsigned& protocol) noexcept {
  const std::size_t begin = next;
  for (unsigned count = 0;; ++count) {
    if (protocol == kFragmentHeader) return ParseVerdict::Fragment;
    if (protocol != kHopByHop && protocol != kRouting && protocol != kDestinationOptions) {
      return ParseVerdict::Udp;
    }
    if (count == kMostExtensions) return ParseVerdict::Ip6ExtensionLimit;
    if (next + 8 > end) return ParseVerdict::Ip6ExtensionTruncated;
    const std::size_t length = (std::to_integer<std::size_t>(frame[next + 1]) + 1) * 8;
    if (next + length > end) return ParseVerdict::Ip6ExtensionTruncated;
    if (next + length - begin > kLongestExtensions) return ParseVerdict::Ip6ExtensionLimit;
    protocol = std::to_integer<unsigned>(frame[next]);
    next += length;
  }
}

ParseVerdict parse_ip6(std::span<const std::byte> frame, const ParseChecks& checks,
                       PacketLayout& layout) noexcept {
  const std::size_t ip = layout.l3_at;
  layout.is_v6 = true;
  if (ip + kIp6 > frame.size()) return ParseVerdict::IpTruncated;
  if (std::to_integer<unsigned>(frame[ip]) >> 4 != 6) return ParseVerdict::IpBadHeader;
  const std::size_t end = ip + kIp6 + load_be16(at(frame, ip + 4));
  if (end > frame.size()) return ParseVerdict::IpTruncated;
  layout.source = address6(at(frame, ip + 8));
  layout.destination = address6(at(frame, ip + 24));
  if (frame[ip + 7] == std::byte{0}) return ParseVerdict::Ttl;
  std::size_t next = ip + kIp6;
  auto protocol = std::to_integer<unsigned>(frame[ip + 6]);
  const ParseVerdict walked = skip_extensions(frame, end, next, protocol);
  if (walked != ParseVerdict::Udp) return walked;
  if (protocol == kIcmp6) {
    constexpr std::byte kUnreachable{1};
    constexpr std::byte kTooBig{2};
    const bool error = next < end && (frame[next] == kUnreachable || frame[next] == kTooBig);
    layout.host = error ? HostKind::IcmpError : HostKind::NeighbourOrMld;
    return ParseVerdict::Host;
  }
  if (protocol == kEsp) return parse_esp(frame, next, end, layout);
  if (protocol != kUdpProtocol) return parse_other(protocol, layout);
  layout.udp_at = static_cast<std::uint16_t>(next);
  return parse_udp(frame, end, checks, layout);
}

}  // namespace

ParseVerdict parse_packet(std::span<const std::byte> frame, const ParseChecks& checks,
                          PacketLayout& layout) noexcept {
  layout = {};
  if (frame.size() < kEthernet) return ParseVerdict::Runt;
  std::size_t next = kEthernet - 2;
  std::uint16_t type = load_be16(at(frame, next));
  for (unsigned depth = 0; is_vlan_tag(type); ++depth) {
    if (depth == 2) return ParseVerdict::VlanDepth;
    if (next + 2 + kVlanTag > frame.size()) return ParseVerdict::Runt;
    const auto id = static_cast<std::uint16_t>(load_be16(at(frame, next + 2)) & 0xfff);
    // VLAN 0 is a priority and no VLAN (802.1Q): the next tag takes its place.
    (layout.tags.outer == 0 ? layout.tags.outer : layout.tags.inner) = id;
    next += kVlanTag;
    type = load_be16(at(frame, next));
  }
  layout.l3_at = static_cast<std::uint16_t>(next + 2);
  if (type == kIp4Type) return parse_ip4(frame, checks, layout);
  if (type == kIp6Type) return parse_ip6(frame, checks, layout);
  if (type != kArpType) return ParseVerdict::NotIp;
  layout.host = HostKind::Arp;
  return ParseVerdict::Host;
}

ParseVerdict parse_ip(std::span<const std::byte> frame, std::size_t l3_at, bool is_v6,
                      const ParseChecks& checks, PacketLayout& layout) noexcept {
  layout = {};
  layout.l3_at = static_cast<std::uint16_t>(l3_at);
  return is_v6 ? parse_ip6(frame, checks, layout) : parse_ip4(frame, checks, layout);
}

}  // namespace castgate
