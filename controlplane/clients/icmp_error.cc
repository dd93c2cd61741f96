// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/icmp_error.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/checksum.h"
#include "dataplane/base/packet/vlan_tag.h"
#include "dataplane/base/wire.h"

namespace castgate {
namespace {

using Bytes = std::span<const std::byte>;

constexpr unsigned kMacs = 12;
constexpr unsigned kIpv4 = 0x0800;
constexpr unsigned kIpv6 = 0x86dd;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIcmp6 = 58;
constexpr std::size_t kIpv4Header = 20;

// An IP packet, as far as it is there.
struct Packet {
  bool is_v6 = false;
  std::uint8_t protocol = 0;
  IpAddress source;
  IpAddress destination;
  std::size_t length = 0;  // of the payload, as the header says
  Bytes payload;           // no more than that
};

IpAddress v6_address(WireReader& reader) noexcept {
  std::array<std::uint8_t, 16> bytes{};
  const Bytes taken = reader.take(bytes.size());
  if (!taken.empty()) std::memcpy(bytes.data(), taken.data(), bytes.size());
  return IpAddress::v6(bytes);
}

// The payload of a header that says how long it is, less what is not there.
void set_payload(Packet& packet, WireReader& reader, std::size_t length) noexcept {
  packet.length = length;
  packet.payload = reader.take(std::min(length, reader.remaining()));
}

// Fragments are nobody's: of the first one neither length nor checksum can be judged.
std::optional<Packet> ipv4_in(Bytes bytes) noexcept {
  constexpr unsigned kMoreOrOffset = 0x3fff;
  WireReader reader(bytes);
  const unsigned first = reader.u8();
  const std::size_t header = std::size_t{first & 15u} * 4;
  reader.skip(1);
  const std::size_t total = reader.u16();
  reader.skip(2);
  const unsigned fragment = reader.u16() & kMoreOrOffset;
  reader.skip(1);
  Packet packet{.protocol = reader.u8(), .source = {}, .destination = {}, .payload = {}};
  reader.skip(2);
  packet.source = IpAddress::v4(reader.u32());
  packet.destination = IpAddress::v4(reader.u32());
  if (first >> 4 != 4 || header < kIpv4Header || total < header || fragment != 0)
    return std::nullopt;
  reader.skip(header - kIpv4Header);
  if (!reader.ok()) return std::nullopt;
  set_payload(packet, reader, total - header);
  return packet;
}

std::optional<Packet> ipv6_in(Bytes bytes) noexcept {
  WireReader reader(bytes);
  const std::uint32_t first = reader.u32();
  const std::size_t length = reader.u16();
  Packet packet{
      .is_v6 = true, .protocol = reader.u8(), .source = {}, .destination = {}, .payload = {}};
  reader.skip(1);
  packet.source = v6_address(reader);
  packet.destination = v6_address(reader);
  if (first >> 28 != 6 || !reader.ok()) return std::nullopt;
  set_payload(packet, reader, length);
  return packet;
}

// Of an ICMP message: that of ICMPv6 covers the addresses as well (RFC 4443 2.3).
bool sums_up(const Packet& packet) noexcept {
  std::uint64_t sum = ones_sum(packet.payload.data(), packet.payload.size());
  if (packet.is_v6) {
    std::array<std::uint8_t, 8> tail{};
    store_be32(tail.data(), static_cast<std::uint32_t>(packet.payload.size()));
    tail[7] = kIcmp6;
    sum += ones_sum(packet.source.bytes().data(), 16) +
           ones_sum(packet.destination.bytes().data(), 16) + ones_sum(tail.data(), tail.size());
  }
  return fold_sum(sum) == 0xffff;
}

std::optional<IcmpError::Kind> kind_of(bool is_v6, unsigned type, unsigned code) noexcept {
  using enum IcmpError::Kind;
  if (is_v6) {
    if (type == 2) return TooBig;
    if (type != 1) return std::nullopt;
    return code == 4 ? PortUnreachable : Unreachable;
  }
  if (type != 3) return std::nullopt;
  if (code == 4) return TooBig;
  return code == 3 ? PortUnreachable : Unreachable;
}

// The packet that is quoted, of which the UDP header at least must be there.
bool read_quote(Bytes quote, bool is_v6, IcmpError& error) noexcept {
  const auto packet = is_v6 ? ipv6_in(quote) : ipv4_in(quote);
  if (!packet || packet->protocol != kUdp) return false;
  WireReader reader(packet->payload);
  error.source = {packet->source, reader.u16()};
  error.client = {packet->destination, reader.u16()};
  QuotedPacket& quoted = error.quote;
  quoted.udp_length = reader.u16();
  quoted.udp_checksum = reader.u16();
  if (!reader.ok() || error.client.udp_port == 0) return false;
  const Bytes begin = reader.take(std::min(reader.remaining(), quoted.begin.size()));
  if (!begin.empty()) std::memcpy(quoted.begin.data(), begin.data(), begin.size());
  quoted.begin_bytes = static_cast<std::uint8_t>(begin.size());
  return true;
}

Bytes ip_packet_in(Bytes frame, unsigned& ethertype) noexcept {
  WireReader reader(frame);
  reader.skip(kMacs);
  ethertype = reader.u16();
  for (unsigned tags = 0; tags < 2 && is_vlan_tag(ethertype); ++tags) {
    reader.skip(2);
    ethertype = reader.u16();
  }
  return reader.ok() ? reader.take(reader.remaining()) : Bytes();
}

}  // namespace

std::optional<IcmpError> icmp_error_in(Bytes frame) noexcept {
  constexpr std::uint32_t kMostMtu = 0xffff;
  unsigned ethertype = 0;
  const Bytes bytes = ip_packet_in(frame, ethertype);
  if (ethertype != kIpv4 && ethertype != kIpv6) return std::nullopt;
  const auto packet = ethertype == kIpv6 ? ipv6_in(bytes) : ipv4_in(bytes);
  if (!packet || packet->protocol != (packet->is_v6 ? kIcmp6 : kIcmp)) return std::nullopt;
  if (packet->payload.size() != packet->length || !sums_up(*packet)) return std::nullopt;
  WireReader reader(packet->payload);
  const unsigned type = reader.u8();
  const auto kind = kind_of(packet->is_v6, type, reader.u8());
  reader.skip(2);
  const std::uint32_t told = reader.u32();
  if (!kind || !reader.ok()) return std::nullopt;
  IcmpError error{
      .kind = *kind, .reporter = packet->source, .source = {}, .client = {}, .quote = {}};
  if (*kind == IcmpError::Kind::TooBig)
    error.mtu =
        static_cast<std::uint16_t>(packet->is_v6 ? std::min(told, kMostMtu) : told & kMostMtu);
  if (!read_quote(reader.take(reader.remaining()), packet->is_v6, error)) return std::nullopt;
  return error;
}

}  // namespace castgate
