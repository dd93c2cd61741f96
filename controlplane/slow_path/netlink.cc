// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/netlink.h"

#include <array>
#include <cstring>
#include <fmt/format.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/socket.h>

#include "controlplane/slow_path/netlink_request.h"

namespace castgate {
namespace {

constexpr std::size_t kAnswer = 4096;  // bytes; one message fits

}  // namespace

Result<Netlink> Netlink::open() {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return fail(fmt::format("netlink: {}", errno_text()));
  return Netlink(std::move(socket));
}

Result<void> Netlink::ask(NetlinkRequest& request, const std::string& what) {
  request.header().nlmsg_flags |= NLM_F_ACK;
  const auto bytes = request.bytes();
  alignas(nlmsghdr) std::array<std::byte, kAnswer> answer{};
  if (send(socket_.get(), bytes.data(), bytes.size(), 0) < 0 ||
      recv(socket_.get(), answer.data(), answer.size(), 0) < 0) {
    return fail(fmt::format("{}: {}", what, errno_text()));
  }
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
  nlmsgerr verdict{};
  std::memcpy(&verdict, answer.data() + NLMSG_HDRLEN, sizeof verdict);
  if (header->nlmsg_type == NLMSG_ERROR && verdict.error == 0) return {};
  errno = -verdict.error;
  return fail(fmt::format("{}: {}", what, errno_text()));
}

Result<void> Netlink::set_link(unsigned index, const LinkSettings& settings) {
  ifinfomsg fixed{};
  fixed.ifi_index = static_cast<int>(index);
  fixed.ifi_flags = settings.up ? unsigned{IFF_UP} : 0u;
  fixed.ifi_change = IFF_UP;
  NetlinkRequest request(RTM_NEWLINK, 0, fixed);
  if (settings.mac) request.add(IFLA_ADDRESS, settings.mac->bytes);
  if (settings.mtu) request.add(IFLA_MTU, *settings.mtu);
  return ask(request, fmt::format("interface {} of the host stack", index));
}

Result<void> Netlink::add_address(unsigned index, const IpPrefix& prefix) {
  ifaddrmsg fixed{};
  fixed.ifa_family = prefix.address.is_v4() ? AF_INET : AF_INET6;
  fixed.ifa_prefixlen = static_cast<std::uint8_t>(prefix.length);
  fixed.ifa_index = index;
  if (!prefix.address.is_v4()) fixed.ifa_flags = IFA_F_NODAD;  // the operator's, at once
  NetlinkRequest request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, fixed);
  request.add(IFA_LOCAL, prefix.address).add(IFA_ADDRESS, prefix.address);
  return ask(request, fmt::format("address {} of the host stack", prefix.to_string()));
}

Result<void> Netlink::add_default_route(unsigned index, const IpAddress& gateway) {
  rtmsg fixed{};
  fixed.rtm_family = gateway.is_v4() ? AF_INET : AF_INET6;
  fixed.rtm_table = RT_TABLE_MAIN;
  fixed.rtm_protocol = RTPROT_STATIC;
  fixed.rtm_type = RTN_UNICAST;
  // Ports of one appliance may each have a gateway; the first one is the default.
  const std::uint32_t metric = index;
  NetlinkRequest request(RTM_NEWROUTE, NLM_F_CREATE, fixed);
  request.add(RTA_GATEWAY, gateway).add(RTA_OIF, index).add(RTA_PRIORITY, metric);
  return ask(request, fmt::format("gateway {} of the host stack", gateway.to_string()));
}

std::optional<IpAddress> gateway_in(NetlinkBytes answer) {
  std::optional<IpAddress> gateway;
  each_netlink_message(answer, [&](unsigned type, NetlinkBytes body) {
    if (type != RTM_NEWROUTE) return;
    each_netlink_attribute<rtmsg>(body, [&](unsigned attribute, NetlinkBytes value) {
      if (attribute == RTA_GATEWAY) gateway = netlink_address(value);
    });
  });
  return gateway;
}

std::optional<IpAddress> Netlink::gateway_to(const IpAddress& to, unsigned interface) {
  rtmsg fixed{};
  fixed.rtm_family = to.is_v4() ? AF_INET : AF_INET6;
  fixed.rtm_dst_len = to.is_v4() ? 32 : 128;
  NetlinkRequest request(RTM_GETROUTE, 0, fixed);
  request.add(RTA_DST, to).add(RTA_OIF, interface);
  const auto bytes = request.bytes();
  std::array<std::byte, kAnswer> answer{};
  if (send(socket_.get(), bytes.data(), bytes.size(), 0) < 0) return std::nullopt;
  const ssize_t length = recv(socket_.get(), answer.data(), answer.size(), 0);
  if (length < 0) return std::nullopt;
  return gateway_in(NetlinkBytes(answer).first(static_cast<std::size_t>(length)));
}

}  // namespace castgate
