// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port_groups.h"

#include <algorithm>
#include <array>

namespace castgate {
namespace {

constexpr MacAddress kAllHosts{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01}};
constexpr MacAddress kAllNodes{{0x33, 0x33, 0x00, 0x00, 0x00, 0x01}};

// Of ff02::1:ffXX:XXXX, the address's last three bytes.
MacAddress solicited_node(const IpAddress& address) {
  const auto& bytes = address.bytes();
  return {{0x33, 0x33, 0xff, bytes[13], bytes[14], bytes[15]}};
}

}  // namespace

std::vector<MacAddress> groups_of_port(const Spec& spec, unsigned index) {
  std::vector<MacAddress> groups{kAllHosts, kAllNodes};
  const auto add = [&](const MacAddress& group) {
    if (std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
  };
  for (const NetworkSpec& network : spec.ports[index].networks) {
    for (const IpPrefix& own : network.addresses) {
      if (!own.address.is_v4()) add(solicited_node(own.address));
    }
  }
  for (const StreamSpec& stream : spec.streams) {
    for (const LegSpec& leg : stream.legs) {
      if (leg.port == index && leg.to.address.is_multicast()) add(multicast_mac(leg.to.address));
    }
  }
  return groups;
}

}  // namespace castgate
