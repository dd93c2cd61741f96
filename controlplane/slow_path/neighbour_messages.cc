// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/neighbour_messages.h"

#include <linux/neighbour.h>
#include <sys/socket.h>

namespace castgate {
namespace {

NeighbourState state_of(unsigned bits) {
  if ((bits & (NUD_PERMANENT | NUD_NOARP)) != 0) return NeighbourState::Fixed;
  if ((bits & NUD_REACHABLE) != 0) return NeighbourState::Reachable;
  if ((bits & (NUD_STALE | NUD_DELAY | NUD_PROBE)) != 0) return NeighbourState::Stale;
  if ((bits & NUD_INCOMPLETE) != 0) return NeighbourState::Incomplete;
  return (bits & NUD_FAILED) != 0 ? NeighbourState::Failed : NeighbourState::Gone;
}

bool has_mac(NeighbourState state) {
  return state == NeighbourState::Stale || state == NeighbourState::Reachable ||
         state == NeighbourState::Fixed;
}

// `body`: what follows the message's header.
std::optional<NeighbourNews> neighbour_in(NetlinkBytes body, bool deleted) {
  const auto fixed = netlink_value<ndmsg>(body);
  if (!fixed || (fixed->ndm_flags & NTF_PROXY) != 0 || fixed->ndm_ifindex <= 0) return std::nullopt;
  std::optional<IpAddress> address;
  std::optional<MacAddress> mac;
  each_netlink_attribute<ndmsg>(body, [&](unsigned type, NetlinkBytes value) {
    if (type == NDA_DST) address = netlink_address(value);
    if (type == NDA_LLADDR && value.size() == sizeof(MacAddress))
      mac = netlink_value<MacAddress>(value);
  });
  const bool known_family = fixed->ndm_family == (address && address->is_v4() ? AF_INET : AF_INET6);
  if (!address || !known_family) return std::nullopt;
  NeighbourNews news{.key = {static_cast<unsigned>(fixed->ndm_ifindex), *address},
                     .state = deleted ? NeighbourState::Gone : state_of(fixed->ndm_state),
                     .mac = std::nullopt};
  if (!has_mac(news.state)) return news;
  if (!mac || !mac->is_unicast()) return std::nullopt;
  news.mac = mac;
  return news;
}

}  // namespace

NeighbourMessages read_neighbours(NetlinkBytes datagram) {
  NeighbourMessages read;
  read.cut = !each_netlink_message(datagram, [&](unsigned type, NetlinkBytes body) {
    if (type == RTM_NEWNEIGH || type == RTM_DELNEIGH) {
      const auto news = neighbour_in(body, type == RTM_DELNEIGH);
      if (news) read.news.push_back(*news);
    } else if (type == NLMSG_ERROR) {
      const auto error = netlink_value<std::int32_t>(body);
      if (error && *error < 0 && *error > -4096) read.errors.push_back(-*error);
    }
  });
  return read;
}

NetlinkRequest neighbour_request(const NeighbourKey& key, NeighbourOrder order) {
  ndmsg fixed{};
  fixed.ndm_family = key.address.is_v4() ? AF_INET : AF_INET6;
  fixed.ndm_ifindex = static_cast<int>(key.interface);
  std::uint16_t flags = NLM_F_REPLACE;
  if (order == NeighbourOrder::Probe) fixed.ndm_state = NUD_PROBE;
  if (order == NeighbourOrder::Forget) fixed.ndm_state = NUD_FAILED;
  if (order == NeighbourOrder::Resolve) {
    fixed.ndm_flags = NTF_USE;
    flags |= NLM_F_CREATE;
  }
  const bool looks = order == NeighbourOrder::Look;
  NetlinkRequest request(looks ? RTM_GETNEIGH : RTM_NEWNEIGH, looks ? std::uint16_t{0} : flags,
                         fixed);
  request.add(NDA_DST, key.address);
  return request;
}

NetlinkRequest all_neighbours_request() {
  return {RTM_GETNEIGH, NLM_F_DUMP, ndmsg{}};
}

}  // namespace castgate
