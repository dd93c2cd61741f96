// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/queries.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/checksum.h"
#include "dataplane/base/packet/vlan_tag.h"
#include "dataplane/base/wire.h"

namespace castgate {
namespace {

constexpr std::uint8_t kIgmpProtocol = 2;
constexpr std::uint8_t kIcmp6Protocol = 58;
constexpr std::uint8_t kIgmpQuery = 0x11;
constexpr std::uint8_t kMldQuery = 130;

// RFC 3376 4.1.7 and RFC 3810 5.1.9: from 128 on, a mantissa of 4 bits and an exponent of 3.
Nanoseconds interval_of(std::uint8_t code) noexcept {
  const unsigned seconds = code < 128 ? code : ((code & 0xfu) | 0x10u) << ((code >> 4 & 7u) + 3);
  return seconds == 0 ? MembershipQuery{}.interval : std::chrono::seconds(seconds);
}

bool all_zero(FrameView bytes) noexcept {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

// Moves a reader at the first type field past the tags, and tells the type behind them. VLAN 0 is a
// priority and no VLAN (802.1Q). A third tag is left for the type, which nobody here looks for.
std::uint16_t read_tags(WireReader& reader, VlanTags& tags) noexcept {
  std::uint16_t type = reader.u16();
  for (unsigned depth = 0; depth < 2 && is_vlan_tag(type); ++depth) {
    const auto id = static_cast<std::uint16_t>(reader.u16() & 0xfff);
    (tags.outer == 0 ? tags.outer : tags.inner) = id;
    type = reader.u16();
  }
  return type;
}

std::optional<MembershipQuery> query_in_ip4(WireReader& ip) noexcept {
  const std::size_t header = std::size_t{ip.u8()} % 16 * 4;
  ip.skip(1);
  const std::size_t length = ip.u16();
  ip.skip(5);
  const std::uint8_t protocol = ip.u8();
  ip.skip(10);
  if (!ip.ok() || protocol != kIgmpProtocol || header < 20 || length < header) return {};
  ip.skip(header - 20);
  return igmp_query(ip.take(length - header));
}

std::optional<MembershipQuery> query_in_ip6(WireReader& ip) noexcept {
  ip.skip(4);
  std::size_t length = ip.u16();
  std::uint8_t next = ip.u8();
  ip.skip(33);
  if (next == 0) {  // hop-by-hop options: MLD carries a router alert there
    next = ip.u8();
    const std::size_t options = 8 + std::size_t{ip.u8()} * 8;
    ip.skip(options - 2);
    if (length < options) return {};
    length -= options;
  }
  if (!ip.ok() || next != kIcmp6Protocol) return {};
  return mld_query(ip.take(length));
}

void put(Frame& frame, std::initializer_list<unsigned> bytes) {
  for (const unsigned byte : bytes) frame.push_back(static_cast<std::byte>(byte));
}

void put_sum(Frame& frame, std::size_t at, std::uint16_t sum_in_memory) {
  std::memcpy(frame.data() + at, &sum_in_memory, sizeof sum_in_memory);
}

std::uint16_t checksum(FrameView bytes) {
  return static_cast<std::uint16_t>(~fold_sum(ones_sum(bytes.data(), bytes.size())));
}

}  // namespace

std::optional<MembershipQuery> igmp_query(FrameView message) noexcept {
  constexpr std::size_t kShort = 8;
  constexpr std::size_t kVersion3 = 12;
  if (message.size() < kShort || message[0] != std::byte{kIgmpQuery}) return {};
  MembershipQuery query;
  query.general = all_zero(message.subspan(4, 4));
  if (message.size() >= kVersion3) {
    query.interval = interval_of(std::to_integer<std::uint8_t>(message[9]));
  } else {
    const bool first = message[1] == std::byte{0};
    query.kind = first ? MembershipQuery::Kind::Igmp1 : MembershipQuery::Kind::Igmp2;
  }
  return query;
}

std::optional<MembershipQuery> mld_query(FrameView message) noexcept {
  constexpr std::size_t kVersion1 = 24;
  constexpr std::size_t kVersion2 = 28;
  if (message.size() < kVersion1 || message[0] != std::byte{kMldQuery}) return {};
  MembershipQuery query;
  query.kind = MembershipQuery::Kind::Mld;
  query.general = all_zero(message.subspan(8, 16));
  if (message.size() >= kVersion2) {
    query.interval = interval_of(std::to_integer<std::uint8_t>(message[25]));
  }
  return query;
}

std::optional<MembershipQuery> query_in_frame(FrameView frame) noexcept {
  WireReader reader(frame);
  reader.skip(12);
  VlanTags tags;
  const std::uint16_t type = read_tags(reader, tags);
  std::optional<MembershipQuery> query;
  if (type == 0x0800) query = query_in_ip4(reader);
  if (type == 0x86dd) query = query_in_ip6(reader);
  if (query) query->tags = tags;
  return query;
}

bool forges_old_igmp(FrameView frame) noexcept {
  const auto query = query_in_frame(frame);
  return query && (query->kind == MembershipQuery::Kind::Igmp1 ||
                   query->kind == MembershipQuery::Kind::Igmp2);
}

// Max response 1 s, robustness 2, interval 60 s. 0.0.0.0 is what a snooping switch that asks on
// behalf of others sends (RFC 4541 2.1.1), and loses every election.
Frame igmp_general_query() {
  Frame frame;
  put(frame, {0x01, 0x00, 0x5e, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00});
  put(frame, {0x46, 0xc0, 0, 36, 0, 0, 0, 0, 1, kIgmpProtocol, 0, 0});
  put(frame, {0, 0, 0, 0, 224, 0, 0, 1, 0x94, 4, 0, 0});  // router alert
  put(frame, {kIgmpQuery, 10, 0, 0, 0, 0, 0, 0, 2, 60, 0, 0});
  put_sum(frame, 24, checksum(FrameView(frame).subspan(14, 24)));
  put_sum(frame, 40, checksum(FrameView(frame).subspan(38)));
  return frame;
}

Frame mld_general_query() {
  const IpAddress source = IpAddress::parse("fe80::1").value_or(IpAddress{});
  const IpAddress all_nodes = IpAddress::parse("ff02::1").value_or(IpAddress{});
  Frame frame;
  put(frame, {0x33, 0x33, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x86, 0xdd});
  put(frame, {0x60, 0, 0, 0, 0, 36, 0, 1});
  for (const auto& address : {source, all_nodes}) {
    for (const auto byte : address.bytes()) put(frame, {byte});
  }
  put(frame, {kIcmp6Protocol, 0, 5, 2, 0, 0, 1, 0});  // router alert, padding
  put(frame, {kMldQuery, 0, 0, 0, 0x03, 0xe8, 0, 0});
  put(frame, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 60, 0, 0});
  put_sum(frame, 64, icmp6_checksum(source, all_nodes, FrameView(frame).subspan(62)));
  return frame;
}

Frame tagged(FrameView frame, VlanTags tags) {
  Frame out(frame.begin(), frame.begin() + 12);
  const auto push = [&](unsigned type, std::uint16_t id) {
    put(out, {type >> 8, type & 0xff, static_cast<unsigned>(id >> 8), id & 0xffu});
  };
  if (tags.count() == 2) push(0x88a8, tags.outer);
  if (tags.count() > 0) push(0x8100, tags.count() == 2 ? tags.inner : tags.outer);
  out.insert(out.end(), frame.begin() + 12, frame.end());
  return out;
}

VlanTags tags_of(FrameView frame) noexcept {
  WireReader reader(frame);
  reader.skip(12);
  VlanTags tags;
  read_tags(reader, tags);
  return reader.ok() ? tags : VlanTags{};
}

Frame untagged(FrameView frame) {
  Frame out(frame.begin(), frame.end());
  WireReader reader(frame);
  reader.skip(12);
  VlanTags tags;
  read_tags(reader, tags);
  if (!reader.ok()) return out;
  const auto behind = static_cast<std::ptrdiff_t>(reader.position()) - 2;
  out.erase(out.begin() + 12, out.begin() + behind);
  return out;
}

std::uint16_t icmp6_checksum(const IpAddress& source, const IpAddress& destination,
                             FrameView message) noexcept {
  std::array<std::uint8_t, 8> tail{};
  store_be32(tail.data(), static_cast<std::uint32_t>(message.size()));
  tail[7] = kIcmp6Protocol;
  const std::uint64_t sum =
      ones_sum(source.bytes().data(), 16) + ones_sum(destination.bytes().data(), 16) +
      ones_sum(tail.data(), tail.size()) + ones_sum(message.data(), message.size());
  return static_cast<std::uint16_t>(~fold_sum(sum));
}

}  // namespace castgate
