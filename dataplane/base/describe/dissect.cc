// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/describe/dissect.h"

#include <algorithm>
#include <array>

#include "dataplane/base/packet/vlan_tag.h"
#include "dataplane/base/wire.h"

namespace castgate {
namespace {

constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86dd;
constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kIp6Fragment = 44;
constexpr std::uint8_t kDestinationOptions = 60;
constexpr std::size_t kIpv4HeaderMin = 20;
constexpr unsigned kVlanNumber = 0x0fff;
constexpr unsigned kMoreAndOffset = 0x3fff;
constexpr unsigned kFragmentBytes = 0xfff8;

template <std::size_t kSize>
std::array<std::uint8_t, kSize> take_array(WireReader& in) noexcept {
  std::array<std::uint8_t, kSize> bytes{};
  std::ranges::transform(in.take(kSize), bytes.begin(),
                         [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  return bytes;
}

// Walks a frame once. Each step reads its header from what is left and says how long it was.
class Dissector {
 public:
  explicit Dissector(std::span<const std::byte> frame) : frame_(frame), end_(frame.size()) {}

  Dissection run() {
    ethernet();
    out_.payload_length = end_ - at_;
    if (at_ < end_) add(Layer::Payload, end_ - at_);
    if (end_ < frame_.size()) {
      end_ = frame_.size();
      add(Layer::Padding, end_ - at_);
    }
    return std::move(out_);
  }

 private:
  WireReader rest() const noexcept { return WireReader(frame_.subspan(at_, end_ - at_)); }
  std::size_t left() const noexcept { return end_ - at_; }
  void stop(std::string_view why) { out_.fault = why; }

  void add(Layer layer, std::size_t length) {
    out_.layers.push_back({layer, at_, length});
    at_ += length;
  }

  void ethernet() {
    WireReader in = rest();
    const auto destination = take_array<6>(in);
    const auto source = take_array<6>(in);
    if (!in.ok()) return stop("Ethernet header cut short");
    out_.mac_destination = {destination};
    out_.mac_source = {source};
    add(Layer::EthernetAddresses, in.position());
    while (vlan_tag()) continue;
    if (out_.fault.empty()) ether_type();
  }

  bool vlan_tag() {
    WireReader in = rest();
    if (!is_vlan_tag(in.u16())) return false;
    const std::uint16_t tag = in.u16();
    if (!in.ok()) stop("VLAN tag cut short");
    if (!in.ok()) return false;
    out_.vlans.push_back(static_cast<std::uint16_t>(tag & kVlanNumber));
    add(Layer::VlanTag, in.position());
    return true;
  }

  void ether_type() {
    WireReader in = rest();
    out_.ether_type = in.u16();
    if (!in.ok()) return stop("EtherType cut short");
    add(Layer::EtherType, in.position());
    if (out_.ether_type == kIpv4) return ipv4();
    if (out_.ether_type == kIpv6) return ipv6();
  }

  // The IP packet ends where its header says; what follows is Ethernet padding.
  void bound(std::size_t packet_length) {
    if (packet_length > left()) return stop("IP length reaches past the frame");
    end_ = at_ + packet_length;
  }

  void ipv4() {
    WireReader in = rest();
    const unsigned first = in.u8();
    in.skip(1);
    const std::size_t total = in.u16();
    in.skip(2);
    const unsigned fragment = in.u16();
    const std::uint8_t ttl = in.u8();
    const std::uint8_t protocol = in.u8();
    in.skip(2);
    const IpAddress source = IpAddress::v4(in.u32());
    const IpAddress destination = IpAddress::v4(in.u32());
    const std::size_t length = std::size_t{first & 0xf} * 4;
    if (!in.ok()) return stop("IPv4 header cut short");
    if (first >> 4 != 4 || length < kIpv4HeaderMin) return stop("IPv4 header is wrong");
    if (length > left()) return stop("IPv4 options cut short");
    if (total < length) return stop("IPv4 length is wrong");
    out_.source = source;
    out_.destination = destination;
    out_.ttl = ttl;
    out_.protocol = protocol;
    bound(total);
    add(Layer::Ipv4, length);
    if ((fragment & kMoreAndOffset) != 0) return fragment_at(fragment << 3);
    transport();
  }

  void ipv6() {
    WireReader in = rest();
    const unsigned version = in.u32() >> 28;
    const std::size_t length = in.u16();
    const std::uint8_t next = in.u8();
    const std::uint8_t hop_limit = in.u8();
    const auto source = take_array<16>(in);
    const auto destination = take_array<16>(in);
    if (!in.ok()) return stop("IPv6 header cut short");
    if (version != 6) return stop("IPv6 header is wrong");
    out_.source = IpAddress::v6(source);
    out_.destination = IpAddress::v6(destination);
    out_.ttl = hop_limit;
    out_.protocol = next;
    bound(in.position() + length);
    add(Layer::Ipv6, in.position());
    while (ip6_extension()) continue;
    if (out_.fault.empty() && !out_.fragment_bytes) transport();
  }

  bool ip6_extension() {
    const bool fragment = out_.protocol == kIp6Fragment;
    if (!fragment && out_.protocol != kHopByHop && out_.protocol != kRouting &&
        out_.protocol != kDestinationOptions) {
      return false;
    }
    WireReader in = rest();
    const std::uint8_t next = in.u8();
    const std::size_t length = fragment ? in.skip(1), 8 : (std::size_t{in.u8()} + 1) * 8;
    const unsigned offset = fragment ? in.u16() : 0;
    if (!in.ok() || length > left()) stop("IPv6 extension header cut short");
    if (!out_.fault.empty()) return false;
    out_.protocol = next;
    add(Layer::Ip6Extension, length);
    if (fragment) fragment_at(offset);
    return !fragment;
  }

  void fragment_at(unsigned field) {
    out_.fragment_bytes = static_cast<std::uint16_t>(field & kFragmentBytes);
  }

  void transport() {
    if (out_.protocol != kUdp) return;
    WireReader in = rest();
    const std::uint16_t source_port = in.u16();
    const std::uint16_t destination_port = in.u16();
    const std::size_t length = in.u16();
    in.skip(2);
    if (!in.ok()) return stop("UDP header cut short");
    out_.source_port = source_port;
    out_.destination_port = destination_port;
    if (length < in.position() || length > left()) {
      stop("UDP length is wrong");
    } else {
      end_ = at_ + length;
    }
    add(Layer::Udp, in.position());
    rtp();
  }

  void rtp() {
    WireReader in = rest();
    const unsigned first = in.u8();
    const unsigned second = in.u8();
    RtpFields fields;
    fields.payload_type = static_cast<std::uint8_t>(second & 0x7f);
    fields.sequence = in.u16();
    fields.timestamp = in.u32();
    fields.ssrc = in.u32();
    in.skip(std::size_t{first & 0xf} * 4);
    if ((first & 0x10) != 0) {
      in.skip(2);
      in.skip(std::size_t{in.u16()} * 4);
    }
    const bool rtcp = second >= 200 && second <= 207;  // RFC 5761 4
    if (!in.ok() || first >> 6 != 2 || rtcp) return;
    out_.rtp = fields;
    add(Layer::Rtp, in.position());
  }

  std::span<const std::byte> frame_;
  std::size_t at_ = 0;
  std::size_t end_;  // of what the layer at hand may use
  Dissection out_;
};

}  // namespace

Dissection dissect(std::span<const std::byte> frame) {
  return Dissector(frame).run();
}

}  // namespace castgate
