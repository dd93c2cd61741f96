// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/describe/describe.h"

#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <string_view>
#include <utility>

#include "dataplane/base/describe/dissect.h"

namespace castgate {
namespace {

struct Name {
  unsigned number;
  std::string_view name;
};

constexpr auto kEtherTypes = std::to_array<Name>({{0x0800, "IPv4"},
                                                  {0x0806, "ARP"},
                                                  {0x8035, "RARP"},
                                                  {0x86dd, "IPv6"},
                                                  {0x8808, "flow control"},
                                                  {0x8809, "LACP"},
                                                  {0x8847, "MPLS"},
                                                  {0x8863, "PPPoE discovery"},
                                                  {0x8864, "PPPoE"},
                                                  {0x888e, "802.1X"},
                                                  {0x88cc, "LLDP"},
                                                  {0x88f7, "PTP"}});
constexpr auto kProtocols = std::to_array<Name>({{1, "ICMP"},
                                                 {2, "IGMP"},
                                                 {6, "TCP"},
                                                 {17, "UDP"},
                                                 {46, "RSVP"},
                                                 {47, "GRE"},
                                                 {50, "ESP"},
                                                 {51, "AH"},
                                                 {58, "ICMPv6"},
                                                 {59, "no next header"},
                                                 {89, "OSPF"},
                                                 {103, "PIM"},
                                                 {112, "VRRP"},
                                                 {132, "SCTP"}});

template <std::size_t kSize>
std::string name_in(const std::array<Name, kSize>& names, unsigned number, std::string otherwise) {
  for (const Name& known : names)
    if (known.number == number) return std::string(known.name);
  return otherwise;
}

std::string end_of(const IpAddress& address, bool with_port, std::uint16_t port) {
  return with_port ? Endpoint{address, port}.to_string() : address.to_string();
}

std::string vlans_of(const Dissection& frame) {
  std::string text;
  for (const auto vlan : frame.vlans) text += (text.empty() ? "vlan " : ".") + std::to_string(vlan);
  return text.empty() ? text : text + " ";
}

constexpr unsigned kFirstEtherType = 1536;  // below, it is a length (IEEE 802.3)

std::string link_kind(std::uint16_t type) {
  if (type < kFirstEtherType) return "802.3";
  return name_in(kEtherTypes, type, fmt::format("EtherType 0x{:04x}", type));
}

std::string contents_of(const Dissection& frame) {
  const std::string size = fmt::format("{} B payload", frame.payload_length);
  const std::string protocol =
      name_in(kProtocols, frame.protocol, fmt::format("protocol {}", frame.protocol));
  if (frame.fragment_bytes) {
    return fmt::format("{} fragment at {} {}", protocol, *frame.fragment_bytes, size);
  }
  if (!frame.rtp) return fmt::format("{} {}", protocol, size);
  return fmt::format("RTP seq {} ts {} ssrc 0x{:08x} {}", frame.rtp->sequence, frame.rtp->timestamp,
                     frame.rtp->ssrc, size);
}

std::string whole_line(const Dissection& frame) {
  if (frame.layers.empty() || frame.layers.front().layer != Layer::EthernetAddresses) {
    return fmt::format("{} B", frame.payload_length);
  }
  if (!frame.source || !frame.destination) {
    return fmt::format("{}{} ← {} {} {} B payload", vlans_of(frame),
                       frame.mac_destination.to_string(), frame.mac_source.to_string(),
                       link_kind(frame.ether_type), frame.payload_length);
  }
  const bool ports = frame.destination_port.has_value();
  return fmt::format("{}{} ← {} ttl {} {}", vlans_of(frame),
                     end_of(*frame.destination, ports, frame.destination_port.value_or(0)),
                     end_of(*frame.source, ports, frame.source_port), frame.ttl,
                     contents_of(frame));
}

// A field reaches from `from` to the next one's; offsets within the layer.
struct Field {
  std::size_t from;
  std::string_view name;
};

constexpr auto kMacFields = std::to_array<Field>({{0, "eth.dst"}, {6, "eth.src"}});
constexpr auto kVlanFields = std::to_array<Field>({{0, "vlan.tpid"}, {2, "vlan.tag"}});
constexpr auto kTypeFields = std::to_array<Field>({{0, "eth.type"}});
constexpr auto kIpv4Fields = std::to_array<Field>({{0, "ip.version"},
                                                   {1, "ip.tos"},
                                                   {2, "ip.length"},
                                                   {4, "ip.id"},
                                                   {6, "ip.fragment"},
                                                   {8, "ip.ttl"},
                                                   {9, "ip.protocol"},
                                                   {10, "ip.checksum"},
                                                   {12, "ip.source"},
                                                   {16, "ip.destination"},
                                                   {20, "ip.options"}});
constexpr auto kIpv6Fields = std::to_array<Field>({{0, "ip6.traffic_class"},
                                                   {2, "ip6.flow_label"},
                                                   {4, "ip6.length"},
                                                   {6, "ip6.next_header"},
                                                   {7, "ip6.hop_limit"},
                                                   {8, "ip6.source"},
                                                   {24, "ip6.destination"}});
constexpr auto kExtensionFields = std::to_array<Field>({{0, "ip6.extension"}});
constexpr auto kUdpFields = std::to_array<Field>(
    {{0, "udp.source_port"}, {2, "udp.destination_port"}, {4, "udp.length"}, {6, "udp.checksum"}});
constexpr auto kRtpFields = std::to_array<Field>({{0, "rtp.flags"},
                                                  {1, "rtp.payload_type"},
                                                  {2, "rtp.sequence"},
                                                  {4, "rtp.timestamp"},
                                                  {8, "rtp.ssrc"},
                                                  {12, "rtp.extension"}});

std::span<const Field> fields_of(Layer layer) noexcept {
  switch (layer) {
    case Layer::EthernetAddresses:
      return kMacFields;
    case Layer::VlanTag:
      return kVlanFields;
    case Layer::EtherType:
      return kTypeFields;
    case Layer::Ipv4:
      return kIpv4Fields;
    case Layer::Ipv6:
      return kIpv6Fields;
    case Layer::Ip6Extension:
      return kExtensionFields;
    case Layer::Udp:
      return kUdpFields;
    case Layer::Rtp:
      return kRtpFields;
    case Layer::Payload:
    case Layer::Padding:
      return {};
  }
  return {};
}

}  // namespace

std::string describe(std::span<const std::byte> frame) {
  const Dissection parts = dissect(frame);
  const std::string line = whole_line(parts);
  return parts.fault.empty() ? line : fmt::format("{} ({})", line, parts.fault);
}

std::string field_at(std::span<const std::byte> frame, std::size_t offset) {
  for (const LayerSpan& span : dissect(frame).layers) {
    if (offset < span.offset || offset >= span.offset + span.length) continue;
    const std::size_t inside = offset - span.offset;
    if (span.layer == Layer::Payload) return fmt::format("payload+{}", inside);
    if (span.layer == Layer::Padding) return fmt::format("padding+{}", inside);
    std::string_view name;
    for (const Field& field : fields_of(span.layer))
      if (field.from <= inside) name = field.name;
    return std::string(name);
  }
  return "end";
}

}  // namespace castgate
