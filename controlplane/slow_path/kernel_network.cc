// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/kernel_network.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cstring>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "controlplane/slow_path/net_namespace.h"
#include "dataplane/base/device_string.h"

namespace castgate {
namespace {

template <class Value>
bool set(int fd, int level, int option, const Value& value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

Result<UniqueFd> raw_socket(int family, int protocol, const std::string& interface) {
  UniqueFd fd(socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (fd && setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                       static_cast<socklen_t>(interface.size())) == 0) {
    return fd;
  }
  return fail(
      fmt::format("{}: {}; listening for queriers needs CAP_NET_RAW: run as root or by the "
                  "service",
                  interface, errno_text()));
}

void send_to(int fd, const IpAddress& group, unsigned interface, FrameView message) {
  sockaddr_in four{};
  sockaddr_in6 six{};
  const sockaddr* address = reinterpret_cast<const sockaddr*>(&four);
  socklen_t length = sizeof four;
  if (group.is_v4()) {
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(group.v4_host_order());
  } else {
    six.sin6_family = AF_INET6;
    six.sin6_scope_id = interface;
    std::memcpy(&six.sin6_addr, group.bytes().data(), group.bytes().size());
    address = reinterpret_cast<const sockaddr*>(&six);
    length = sizeof six;
  }
  // A link that is down loses it; the next one comes within a minute.
  (void)sendto(fd, message.data(), message.size(), MSG_DONTWAIT, address, length);
}

}  // namespace

Result<std::string> interface_for(const std::string& device, VlanTags tags) {
  const std::string parent = kernel_interface(device);
  std::string name = tags.count() == 0 ? parent : parent + "." + tags.to_string();
  if (if_nametoindex(name.c_str()) != 0) return name;
  if (tags.count() == 1) {
    return fail(fmt::format("no interface {}; ip link add link {} name {} type vlan id {}", name,
                            parent, name, tags.outer));
  }
  return fail(fmt::format("no interface {}", name));
}

Result<std::unique_ptr<KernelNetwork>> KernelNetwork::open(boost::asio::io_context& io,
                                                           const std::string& device,
                                                           const HostNetwork& network,
                                                           Heard heard) {
  const auto name = interface_for(device, network.spec.tags);
  if (!name) return std::unexpected(name.error());
  std::unique_ptr<KernelNetwork> own(new KernelNetwork(io, network, std::move(heard)));
  own->index_ = if_nametoindex(name->c_str());
  if (network.spec.igmp != IgmpVersion::Auto) {
    const char* version = network.spec.igmp == IgmpVersion::V3 ? "3" : "2";
    const std::string setting = "ipv4/conf/" + *name + "/force_igmp_version";
    std::string before = kernel_setting(setting);
    auto good = set_kernel(setting, version);
    if (!good) return std::unexpected(good.error());
    own->version_setting_ = setting;
    own->version_before_ = std::move(before);
  }
  own->name_ = *name;
  if (auto good = own->listen(); !good) return std::unexpected(good.error());
  return own;
}

// For the queries of what is joined.
Result<void> KernelNetwork::listen() {
  Result<void> good;
  if (!network_.groups4.empty() && !igmp_.is_open()) good = open_igmp(name_);
  if (good && !network_.groups6.empty() && !mld_.is_open()) good = open_mld(name_);
  return good;
}

Result<void> KernelNetwork::set_groups(const HostNetwork& network) {
  network_.groups4 = network.groups4;
  network_.groups6 = network.groups6;
  return listen();
}

KernelNetwork::~KernelNetwork() {
  if (version_before_.empty()) return;
  static_cast<void>(set_kernel(version_setting_, version_before_));
}

Result<void> KernelNetwork::open_igmp(const std::string& interface) {
  auto fd = raw_socket(AF_INET, IPPROTO_IGMP, interface);
  if (!fd) return std::unexpected(fd.error());
  const std::array<std::uint8_t, 4> router_alert{0x94, 4, 0, 0};
  ip_mreqn out{};
  out.imr_ifindex = static_cast<int>(index_);
  const bool set_up = set(fd->get(), IPPROTO_IP, IP_OPTIONS, router_alert) &&
                      set(fd->get(), IPPROTO_IP, IP_MULTICAST_IF, out) &&
                      set(fd->get(), IPPROTO_IP, IP_MULTICAST_TTL, 1) &&
                      set(fd->get(), IPPROTO_IP, IP_MULTICAST_LOOP, 0) &&
                      set(fd->get(), IPPROTO_IP, IP_TOS, 0xc0);
  if (!set_up) return fail(fmt::format("{}: IGMP socket: {}", interface, errno_text()));
  igmp_.assign(fd->release());
  read_igmp();
  return {};
}

Result<void> KernelNetwork::open_mld(const std::string& interface) {
  auto fd = raw_socket(AF_INET6, IPPROTO_ICMPV6, interface);
  if (!fd) return std::unexpected(fd.error());
  icmp6_filter queries{};
  ICMP6_FILTER_SETBLOCKALL(&queries);
  ICMP6_FILTER_SETPASS(MLD_LISTENER_QUERY, &queries);
  const std::array<std::uint8_t, 8> router_alert{0, 0, 5, 2, 0, 0, 1, 0};  // hop-by-hop options
  const int index = static_cast<int>(index_);
  const bool set_up = set(fd->get(), IPPROTO_ICMPV6, ICMP6_FILTER, queries) &&
                      set(fd->get(), IPPROTO_IPV6, IPV6_HOPOPTS, router_alert) &&
                      set(fd->get(), IPPROTO_IPV6, IPV6_MULTICAST_IF, index) &&
                      set(fd->get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1) &&
                      set(fd->get(), IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
  if (!set_up) return fail(fmt::format("{}: MLD socket: {}", interface, errno_text()));
  mld_.assign(fd->release());
  read_mld();
  return {};
}

void KernelNetwork::read_igmp() {
  igmp_.async_read_some(boost::asio::buffer(igmp_buffer_),
                        [this](const boost::system::error_code& error, std::size_t length) {
                          if (error == boost::asio::error::operation_aborted) return;
                          const FrameView packet = FrameView(igmp_buffer_).first(length);
                          const std::size_t header =
                              length == 0 ? 0 : std::to_integer<std::size_t>(packet[0]) % 16 * 4;
                          const auto query = igmp_query(packet.subspan(std::min(header, length)));
                          if (query && query->general) heard_(*query);
                          read_igmp();
                        });
}

void KernelNetwork::read_mld() {
  mld_.async_read_some(boost::asio::buffer(mld_buffer_),
                       [this](const boost::system::error_code& error, std::size_t length) {
                         if (error == boost::asio::error::operation_aborted) return;
                         const auto query = mld_query(FrameView(mld_buffer_).first(length));
                         if (query && query->general) heard_(*query);
                         read_mld();
                       });
}

void KernelNetwork::refresh(bool v6) {
  const auto routers = IpAddress::parse(v6 ? "ff02::16" : "224.0.0.22").value_or(IpAddress{});
  if (!v6 && network_.spec.igmp == IgmpVersion::V2) {
    for (const auto& joined : network_.groups4) {
      send_to(igmp_.native_handle(), joined.group, index_, igmp2_report(joined.group));
    }
    return;
  }
  for (const auto& report : current_state_reports(v6 ? network_.groups6 : network_.groups4)) {
    send_to(v6 ? mld_.native_handle() : igmp_.native_handle(), routers, index_, report);
  }
}

}  // namespace castgate
