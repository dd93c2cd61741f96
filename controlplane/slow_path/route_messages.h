// SPDX-License-Identifier: Apache-2.0
// What rtnetlink says of changes after which packets may go another way (rtnetlink(7)).
#pragma once

#include <optional>
#include <vector>

#include "controlplane/slow_path/netlink_reader.h"
#include "dataplane/base/address.h"

namespace castgate {

struct RouteNews {
  std::vector<IpPrefix> to;  // routes to these came, went or became others
  bool any = false;          // links, addresses, rules or next hops did: whatever they lead to
};

// From one datagram. What is no route that packets of ours take is passed over.
RouteNews read_routes(NetlinkBytes datagram);

}  // namespace castgate
