// SPDX-License-Identifier: Apache-2.0
// Clients of a stream's unicast outputs, as the control plane hands them to the workers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/base/address.h"

namespace castgate {

// Where a client is: unicast output, and how its packets get there.
struct ClientRoute {
  std::uint16_t stream = 0;            // index into Spec::streams
  std::uint16_t unicast = 0;           // index into StreamSpec::unicasts
  Endpoint to;                         // the client's address and UDP port
  IpAddress source;                    // of the same family
  std::optional<MacAddress> next_hop;  // absent: not known, packets are dropped by name
  std::uint16_t mtu = 0;               // of the path, bytes of IP packet; 0: the port's
};

// A client that a worker has, until it leaves.
struct ClientPlace {
  std::uint16_t stream = 0;
  std::uint16_t unicast = 0;
  std::uint32_t slot = 0;
  std::uint16_t part = 0;  // of the output's clients: each is served by another worker

  bool operator==(const ClientPlace&) const = default;
};

// Why a client's copy did not leave, in the order of their counters.
enum class ClientDrop : std::uint8_t {
  TxFull,
  Mtu,
  NoNeighbour,
  CopyFailed,
  Quota,
  TtlExpired,
  NotSealed,
  kCount
};

inline constexpr std::size_t kClientDrops = static_cast<std::size_t>(ClientDrop::kCount);
inline constexpr std::array<std::string_view, kClientDrops> kClientDropNames{
    "tx_full", "mtu", "no_neighbour", "copy_failed", "quota", "ttl_expired", "not_sealed"};

// Of a packet to a client, what an ICMP error quotes behind its IP header.
struct QuotedPacket {
  std::uint16_t udp_length = 0;
  std::uint16_t udp_checksum = 0;       // 0: it had none
  std::array<std::uint8_t, 8> begin{};  // of its payload; zeros behind what is quoted
  std::uint8_t begin_bytes = 0;         // that are quoted
};

// A packet that did go to a client.
struct SentPacket {
  std::uint64_t number = 0;  // among those of its output
  bool certain = false;      // the begin of its payload was compared, not its checksum alone
};

// Of one client since it joined.
struct ClientCounters {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // whole frames
  std::array<std::uint64_t, kClientDrops> drops{};
  std::uint64_t sealed = 0;  // with its own key, where it has one
};

}  // namespace castgate
