// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/netlink.h"

#include <array>
#include <cstring>
#include <fmt/format.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <span>
#include <sys/socket.h>

namespace castgate {
namespace {

std::span<const std::uint8_t> wire_bytes(const IpAddress& address) {
  return std::span(address.bytes()).subspan(address.is_v4() ? 12 : 0);
}

}  // namespace

// One message under construction: header, fixed part, attributes. At most kRoom bytes.
class Netlink::Request {
 public:
  template <class Fixed>
  Request(std::uint16_t type, std::uint16_t flags, const Fixed& fixed) {
    header().nlmsg_type = type;
    header().nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST | NLM_F_ACK);
    header().nlmsg_len = NLMSG_LENGTH(sizeof fixed);
    std::memcpy(bytes_.data() + NLMSG_HDRLEN, &fixed, sizeof fixed);
  }

  nlmsghdr& header() { return *reinterpret_cast<nlmsghdr*>(bytes_.data()); }
  const std::byte* data() const { return bytes_.data(); }

  Request& add(std::uint16_t type, const void* value, std::size_t length) {
    const std::size_t at = NLMSG_ALIGN(header().nlmsg_len);
    const rtattr attribute{static_cast<std::uint16_t>(RTA_LENGTH(length)), type};
    std::memcpy(bytes_.data() + at, &attribute, sizeof attribute);
    if (length > 0) std::memcpy(bytes_.data() + at + RTA_LENGTH(0), value, length);
    header().nlmsg_len = static_cast<std::uint32_t>(at + RTA_SPACE(length));
    return *this;
  }
  template <class Value>
  Request& add(std::uint16_t type, const Value& value) {
    return add(type, &value, sizeof value);
  }
  Request& add(std::uint16_t type, const IpAddress& address) {
    const auto bytes = wire_bytes(address);
    return add(type, bytes.data(), bytes.size());
  }

 private:
  static constexpr std::size_t kRoom = 512;
  alignas(nlmsghdr) std::array<std::byte, kRoom> bytes_{};
};

Result<Netlink> Netlink::open() {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return fail(fmt::format("netlink: {}", errno_text()));
  return Netlink(std::move(socket));
}

Result<void> Netlink::ask(Request& request, const std::string& what) {
  const auto length = request.header().nlmsg_len;
  alignas(nlmsghdr) std::array<std::byte, 4096> answer{};
  if (send(socket_.get(), request.data(), length, 0) < 0 ||
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
  Request request(RTM_NEWLINK, 0, fixed);
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
  Request request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, fixed);
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
  Request request(RTM_NEWROUTE, NLM_F_CREATE, fixed);
  request.add(RTA_GATEWAY, gateway).add(RTA_OIF, index).add(RTA_PRIORITY, metric);
  return ask(request, fmt::format("gateway {} of the host stack", gateway.to_string()));
}

}  // namespace castgate
