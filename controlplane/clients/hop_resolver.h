// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <optional>

#include "dataplane/base/address.h"

namespace castgate {

// The host on one of a port's own networks that gets packets for clients: themselves, or a router.
struct Hop {
  unsigned port = 0;
  VlanTags vlan;
  IpAddress address;
  auto operator<=>(const Hop&) const = default;
};

// Who finds out MAC addresses. What becomes known later is told to NextHops::changed().
class HopResolver {
 public:
  virtual ~HopResolver() = default;

  // Can anybody be asked on this network?
  virtual bool resolves(unsigned port, VlanTags vlan) = 0;
  // Where a host beyond the port's own networks is reached, where somebody has routes to say so.
  // What changes there is told to WayReview::note().
  virtual std::optional<IpAddress> router_for(unsigned port, VlanTags vlan,
                                              const IpAddress& to) = 0;
  // Once for each hop, until unwatch(). What is known at once.
  virtual std::optional<MacAddress> watch(const Hop& hop) = 0;
  virtual void unwatch(const Hop& hop) = 0;
};

}  // namespace castgate
