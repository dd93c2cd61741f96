// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replicate/output_template.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/checksum.h"

namespace castgate {
namespace {

constexpr std::uint16_t kVlanType = 0x8100;
constexpr std::uint16_t kQinqType = 0x88a8;
constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kEsp = 50;
constexpr std::uint8_t kDscpBits = 0xfc;  // ECN is between two hosts: never passed on

std::size_t write_ethernet(std::uint8_t* to, const Destination& output, const MacAddress& from) {
  std::copy(output.next_hop.bytes.begin(), output.next_hop.bytes.end(), to);
  std::copy(from.bytes.begin(), from.bytes.end(), to + 6);
  std::size_t at = 12;
  const auto tag = [&](std::uint16_t type, std::uint16_t id) {
    store_be16(to + at, type);
    store_be16(to + at + 2, id);
    at += 4;
  };
  if (output.vlan.count() == 2) tag(kQinqType, output.vlan.outer);
  if (output.vlan.count() == 1) tag(kVlanType, output.vlan.outer);
  if (output.vlan.count() == 2) tag(kVlanType, output.vlan.inner);
  store_be16(to + at, output.to.address.is_v4() ? 0x0800 : 0x86dd);
  return at + 2;
}

// Lengths, identification, TOS, TTL and checksum are the packet's own and stay 0 here.
std::size_t write_ip4(std::uint8_t* to, const Destination& output) {
  to[0] = 0x45;
  store_be16(to + 6, kDontFragment);
  to[9] = output.raw_esp ? kEsp : kUdp;
  std::memcpy(to + 12, output.source.bytes().data() + 12, 4);
  std::memcpy(to + 16, output.to.address.bytes().data() + 12, 4);
  return 20;
}

std::size_t write_ip6(std::uint8_t* to, const Destination& output) {
  to[0] = 0x60;
  to[6] = output.raw_esp ? kEsp : kUdp;
  std::memcpy(to + 8, output.source.bytes().data(), 16);
  std::memcpy(to + 24, output.to.address.bytes().data(), 16);
  return 40;
}

}  // namespace

HeaderTemplate make_headers(const Destination& destination, const MacAddress& port_mac,
                            LongHeader& long_header) {
  HeaderTemplate made;
  std::uint8_t* to = long_header.data();
  made.is_v6 = !destination.to.address.is_v4();
  const std::size_t l3 = write_ethernet(to, destination, port_mac);
  const std::size_t udp =
      l3 + (made.is_v6 ? write_ip6(to + l3, destination) : write_ip4(to + l3, destination));
  if (!destination.raw_esp) {
    store_be16(to + udp, destination.source_port);
    store_be16(to + udp + 2, destination.to.udp_port);
  }
  made.length = static_cast<std::uint8_t>(destination.raw_esp ? udp : udp + 8);
  made.l3_at = static_cast<std::uint8_t>(l3);
  std::copy_n(to, HeaderTemplate::kShort, made.header.begin());
  const std::size_t addresses = made.is_v6 ? 32 : 8;
  made.ip_sum = made.is_v6 ? std::uint16_t{0} : fold_sum(ones_sum(to + l3, 20));
  made.pseudo_sum = fold_sum(ones_sum(to + udp - addresses, addresses + 4));
  const unsigned headers = made.length - made.l3_at;
  const unsigned mtu = destination.mtu;
  made.most_payload = static_cast<std::uint16_t>(std::min(mtu - std::min(mtu, headers), 65535u));
  made.port = static_cast<std::uint16_t>(destination.port);
  made.ttl = destination.ttl;
  made.tos = destination.dscp ? static_cast<std::uint8_t>(*destination.dscp << 2) : std::uint8_t{0};
  made.tos_keep = destination.dscp ? std::uint8_t{0} : kDscpBits;
  return made;
}

OutputTemplate make_template(const OutputSpec& output, const PortSpec& port,
                             const MacAddress& port_mac) {
  OutputTemplate made;
  const Destination group{
      .next_hop = multicast_mac(output.to.address),
      .vlan = output.vlan,
      .source = output.source,
      .source_port = output.source_port != 0 ? output.source_port : output.to.udp_port,
      .to = output.to,
      .ttl = output.ttl,
      .dscp = output.dscp,
      .port = output.port,
      .mtu = port.mtu,
      .raw_esp = output.raw_esp};
  static_cast<HeaderTemplate&>(made) = make_headers(group, port_mac, made.long_header);
  return made;
}

}  // namespace castgate
