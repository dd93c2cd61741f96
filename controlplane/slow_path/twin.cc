// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/twin.h"

#include <boost/asio/buffer.hpp>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "controlplane/slow_path/netlink.h"

namespace castgate {
namespace {

// A port without IPv6 says nothing of it: no neighbour discovery, no MLD.
void silence_v6(const std::string& interface) {
  (void)set_kernel("ipv6/conf/" + interface + "/disable_ipv6", "1");
}

}  // namespace

Result<std::unique_ptr<Twin>> Twin::make(boost::asio::io_context& io, const NetNamespace& space,
                                         const PortSpec& port, MacAddress mac,
                                         const std::vector<HostNetwork>& networks) {
  std::unique_ptr<Twin> twin(new Twin(io));
  const auto built = space.run([&]() -> Result<void> {
    // Short, for a VLAN's name is put behind it and the kernel allows 15 characters.
    const std::string name = fmt::format("p{}", networks.front().port);
    if (auto good = twin->open(name, port, mac); !good) return good;
    for (const auto& network : networks) {
      if (auto good = twin->add_network(name, port, network); !good) return good;
    }
    return {};
  });
  if (!built) return fail(fmt::format("port {}: {}", port.name, built.error().text));
  return twin;
}

Result<void> Twin::open(const std::string& name, const PortSpec& port, MacAddress mac) {
  UniqueFd tap(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!tap) return fail(fmt::format("/dev/net/tun: {}; modprobe tun", errno_text()));
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  std::memcpy(request.ifr_name, name.c_str(), name.size() + 1);
  if (ioctl(tap.get(), TUNSETIFF, &request) != 0) {
    return fail(
        fmt::format("TAP device of the host stack: {}; it needs CAP_NET_ADMIN: run as root "
                    "or by the service",
                    errno_text()));
  }
  tap_.assign(tap.release());
  silence_v6(name);
  auto netlink = Netlink::open();
  if (!netlink) return std::unexpected(netlink.error());
  return netlink->set_link(if_nametoindex(name.c_str()), {.mac = mac, .mtu = port.mtu, .up = true});
}

Result<void> Twin::add_network(const std::string& name, const PortSpec& port,
                               const HostNetwork& network) {
  const auto interface = interface_for(name, network.spec.tags);
  if (!interface) return std::unexpected(interface.error());
  interfaces_[network.spec.tags] = *interface;
  std::array<char, IF_NAMESIZE> own_name{};
  if_indextoname(*interface, own_name.data());
  const std::string own(own_name.data());
  if (network.wants_v6()) {
    (void)set_kernel("ipv6/conf/" + own + "/accept_dad", "0");
    if (auto good = set_kernel("ipv6/conf/" + own + "/disable_ipv6", "0"); !good) return good;
  } else {
    silence_v6(own);
  }
  if (network.spec.igmp == IgmpVersion::V2) {
    if (auto good = set_kernel("ipv4/conf/" + own + "/force_igmp_version", "2"); !good) return good;
  }
  auto netlink = Netlink::open();
  if (!netlink) return std::unexpected(netlink.error());
  if (auto good = netlink->set_link(*interface, {.mac = {}, .mtu = {}, .up = true}); !good) {
    return good;
  }
  for (const auto& address : network.spec.addresses) {
    if (auto good = netlink->add_address(*interface, address); !good) return good;
    if (!port.gateway || !address.contains(*port.gateway)) continue;
    if (auto good = netlink->add_default_route(*interface, *port.gateway); !good) return good;
  }
  return {};
}

// p0, p0.43, and for QinQ p0q100.43 upon p0q100, whose tag is a provider's (802.1ad).
Result<unsigned> Twin::interface_for(const std::string& name, VlanTags tags) {
  const unsigned tap = if_nametoindex(name.c_str());
  if (tags.count() == 0) return tap;
  auto netlink = Netlink::open();
  if (!netlink) return std::unexpected(netlink.error());
  unsigned parent = tap;
  std::string own = name;
  if (tags.count() == 2) {
    own = fmt::format("{}q{}", name, tags.outer);
    if (if_nametoindex(own.c_str()) == 0) {
      if (auto good = netlink->add_vlan(tap, own, tags.outer, 0x88a8); !good) {
        return std::unexpected(good.error());
      }
      silence_v6(own);
    }
    parent = if_nametoindex(own.c_str());
    (void)netlink->set_link(parent, {.mac = {}, .mtu = {}, .up = true});
  }
  const std::uint16_t id = tags.count() == 2 ? tags.inner : tags.outer;
  own += fmt::format(".{}", id);
  if (auto good = netlink->add_vlan(parent, own, id, 0x8100); !good) {
    return std::unexpected(good.error());
  }
  return if_nametoindex(own.c_str());
}

void Twin::start(Sender send) {
  send_ = std::move(send);
  read();
}

bool Twin::write(FrameView frame) {
  return ::write(tap_.native_handle(), frame.data(), frame.size()) >= 0;
}

void Twin::read() {
  tap_.async_read_some(boost::asio::buffer(buffer_),
                       [this](const boost::system::error_code& error, std::size_t length) {
                         if (error) return;
                         send_(std::span<const std::byte>(buffer_).first(length));
                         read();
                       });
}

}  // namespace castgate
