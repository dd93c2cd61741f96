// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/route_messages.h"

#include <sys/socket.h>

namespace castgate {
namespace {

std::optional<IpPrefix> route_in(NetlinkBytes body) {
  const auto fixed = netlink_value<rtmsg>(body);
  if (!fixed || (fixed->rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
  // What is ours or everybody's follows from addresses.
  if (fixed->rtm_table == RT_TABLE_LOCAL || fixed->rtm_type == RTN_MULTICAST) return std::nullopt;
  const bool v4 = fixed->rtm_family == AF_INET;
  if ((!v4 && fixed->rtm_family != AF_INET6) || fixed->rtm_dst_len > (v4 ? 32 : 128))
    return std::nullopt;
  IpPrefix to{v4 ? IpAddress::v4(0) : IpAddress::v6({}), fixed->rtm_dst_len};
  each_netlink_attribute<rtmsg>(body, [&](unsigned type, NetlinkBytes value) {
    if (type != RTA_DST) return;
    const auto address = netlink_address(value);
    if (address && address->is_v4() == v4) to.address = *address;
  });
  return to;
}

}  // namespace

RouteNews read_routes(NetlinkBytes datagram) {
  RouteNews read;
  const bool whole = each_netlink_message(datagram, [&](unsigned type, NetlinkBytes body) {
    switch (type) {
      case RTM_NEWROUTE:
      case RTM_DELROUTE:
        if (const auto to = route_in(body)) read.to.push_back(*to);
        return;
      case RTM_NEWLINK:
      case RTM_DELLINK:
      case RTM_NEWADDR:
      case RTM_DELADDR:
      case RTM_NEWRULE:
      case RTM_DELRULE:
      case RTM_NEWNEXTHOP:
      case RTM_DELNEXTHOP:
        read.any = true;
        return;
      default:
        return;
    }
  });
  read.any = read.any || !whole;
  return read;
}

}  // namespace castgate
