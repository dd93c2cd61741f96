// SPDX-License-Identifier: Apache-2.0
// What hosts and routers say by ICMP of packets that we sent to clients (RFC 792, 1191, 4443,
// 8201).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/base/address.h"
#include "dataplane/contract/clients.h"

namespace castgate {

// Anybody may send one: it is worth something only where what it quotes is a packet that was sent.
struct IcmpError {
  enum class Kind : std::uint8_t {
    TooBig,           // "fragmentation needed", "packet too big"
    PortUnreachable,  // nobody listens there
    Unreachable       // host, network or else
  };
  Kind kind = Kind::TooBig;
  IpAddress reporter;     // who says so
  Endpoint source;        // of the packet that it quotes
  Endpoint client;        // where that went
  std::uint16_t mtu = 0;  // TooBig: of the next link; 0: not told (old routers)
  QuotedPacket quote;
};

// From a whole Ethernet frame. Nothing where it is anything else, cut short, or its checksums are
// wrong.
std::optional<IcmpError> icmp_error_in(std::span<const std::byte> frame) noexcept;

}  // namespace castgate
