// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/clients/client_id.h"
#include "dataplane/base/instant.h"
#include "dataplane/contract/clients.h"

namespace castgate {

// Of errors that came for packets to a client (PathErrors).
struct PathReports {
  std::array<std::uint64_t, 3> packets{};  // that came to where nobody listens
  std::uint32_t count = 0;                 // of them
  Instant first;
  Instant doubted_until;
  Instant mtu_until;  // where route.mtu is not 0
};

// Names of a unicast output, which stay when places change.
struct OutputName {
  std::string stream;
  std::string output;
  auto operator<=>(const OutputName&) const = default;
};

struct ClientsOfHop;

// A client of one unicast output. There may be tens of thousands: what many have in common lies
// elsewhere.
struct ClientEntry {
  ClientId id;                       // a client of several outputs has one
  const OutputName* name = nullptr;  // as long as the table
  std::string_view door;             // "control", "rest"
  ClientRoute route;
  ClientPlace place;
  Instant since;
  Nanoseconds lease{0};     // 0: stays until it leaves
  Instant expires{kNever};  // by the lease clock
  // NextHops': with whom it is reached, and where among these. Null: no way leads there.
  ClientsOfHop* behind = nullptr;
  std::uint32_t at = 0;
  std::uint32_t next_of_id = UINT32_MAX;
  std::uint8_t ttl_seen = 0;  // with which its own packets come; 0: not known
  bool present = false;
};

// What a door asks of the table.
struct JoinOrder {
  std::string output;  // "news1.homes", or "news1" where the stream has one unicast output
  Endpoint client;
  std::optional<ClientId> id;  // to have another stream under the same
  std::string_view door = "control";
  Nanoseconds lease{0};
  std::uint8_t ttl_seen = 0;              // as in ClientEntry
  unsigned most_of_address = UINT32_MAX;  // outputs and ports that one address may have
};

enum class ClientFault : std::uint8_t { Unknown, BadAddress, Conflict, Quota, NoPlace, Busy };

struct ClientError {
  ClientFault fault;
  std::string text;
};

template <class T>
using ClientResult = std::expected<T, ClientError>;

}  // namespace castgate
