// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/peer_ttls.h"

#include <algorithm>
#include <boost/container_hash/hash.hpp>
#include <cstring>

#include "dataplane/base/packet/vlan_tag.h"
#include "dataplane/base/wire.h"

namespace castgate {
namespace {

constexpr unsigned kTcp = 6;
constexpr unsigned kSynAck = 0x12;
constexpr unsigned kSyn = 0x02;

// Behind ports and numbers.
bool opens(WireReader& tcp) noexcept {
  tcp.skip(13);
  return (tcp.u8() & kSynAck) == kSyn && tcp.ok();
}

}  // namespace

void PeerTtls::note(std::span<const std::byte> frame) {
  WireReader reader(frame);
  reader.skip(12);
  unsigned ethertype = reader.u16();
  for (unsigned tags = 0; tags < 2 && is_vlan_tag(ethertype); ++tags) {
    reader.skip(2);
    ethertype = reader.u16();
  }
  std::uint8_t ttl = 0;
  IpAddress source;
  if (ethertype == 0x0800) {
    const unsigned words = reader.u8() & 15u;
    reader.skip(7);
    ttl = reader.u8();
    if (reader.u8() != kTcp || words < 5) return;
    reader.skip(2);
    source = IpAddress::v4(reader.u32());
    reader.skip(4 + std::size_t{words - 5} * 4);
  } else if (ethertype == 0x86dd) {
    reader.skip(6);
    if (reader.u8() != kTcp) return;
    ttl = reader.u8();
    std::array<std::uint8_t, 16> bytes{};
    const auto taken = reader.take(bytes.size());
    if (taken.empty()) return;
    std::memcpy(bytes.data(), taken.data(), bytes.size());
    source = IpAddress::v6(bytes);
    reader.skip(16);
  } else {
    return;
  }
  if (!opens(reader)) return;
  if (ttls_.size() >= kMost) ttls_.clear();
  ttls_[source.bytes()] = ttl;
}

std::uint8_t PeerTtls::of(const IpAddress& peer) const {
  const auto found = ttls_.find(peer.bytes());
  return found == ttls_.end() ? std::uint8_t{0} : found->second;
}

}  // namespace castgate
