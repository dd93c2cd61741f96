// SPDX-License-Identifier: Apache-2.0
// What rtnetlink says of neighbours (rtnetlink(7), linux/neighbour.h), and what is asked of it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "controlplane/slow_path/netlink_reader.h"
#include "controlplane/slow_path/netlink_request.h"
#include "dataplane/base/address.h"

namespace castgate {

// A host next to an interface.
struct NeighbourKey {
  unsigned interface = 0;
  IpAddress address;
  auto operator<=>(const NeighbourKey&) const = default;
};

// What the kernel knows of it. Stale: it had this MAC address once; Reachable: it has just said so.
enum class NeighbourState : std::uint8_t { Gone, Incomplete, Failed, Stale, Reachable, Fixed };

struct NeighbourNews {
  NeighbourKey key;
  NeighbourState state = NeighbourState::Gone;
  std::optional<MacAddress> mac;  // of the last three states
};

struct NeighbourMessages {
  std::vector<NeighbourNews> news;
  std::vector<int> errors;  // errno of requests that were refused
  bool cut = false;         // the datagram ends within a message: what followed is lost
};

// From one datagram. Messages of other kinds, and of addresses other than Ethernet's, are passed
// over.
NeighbourMessages read_neighbours(NetlinkBytes datagram);

enum class NeighbourOrder : std::uint8_t {
  Look,     // tell what is known of it
  Resolve,  // ask for its MAC address, by ARP or neighbour solicitation to all, unless it is known
  Probe,    // ask it whether it is still there
  Forget,   // its MAC address holds no more
};

NetlinkRequest neighbour_request(const NeighbourKey& key, NeighbourOrder order);
NetlinkRequest all_neighbours_request();

}  // namespace castgate
