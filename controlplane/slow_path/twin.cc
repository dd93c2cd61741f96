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

Result<std::unique_ptr<Twin>> Twin::make(boost::asio::io_context& io, const NetNamespace& space,
                                         const PortSpec& port, MacAddress mac,
                                         const HostNetwork& network) {
  std::unique_ptr<Twin> twin(new Twin(io));
  const auto built = space.run([&]() -> Result<void> {
    // The kernel allows 15 characters: p63.4094.4094 fits.
    const auto& tags = network.spec.tags;
    const std::string name = fmt::format("p{}{}{}", network.port, tags.count() > 0 ? "." : "",
                                         tags.count() > 0 ? tags.to_string() : "");
    if (auto good = twin->open(name); !good) return good;
    return twin->set_up(name, port, mac, network);
  });
  if (!built) return fail(fmt::format("port {}: {}", port.name, built.error().text));
  return twin;
}

Result<void> Twin::open(const std::string& name) {
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
  index_ = if_nametoindex(name.c_str());
  return {};
}

Result<void> Twin::set_up(const std::string& name, const PortSpec& port, MacAddress mac,
                          const HostNetwork& network) {
  const std::string v6 = "ipv6/conf/" + name;
  if (network.wants_v6()) {
    static_cast<void>(set_kernel(v6 + "/accept_dad", "0"));  // the address is the operator's word
  } else {
    static_cast<void>(set_kernel(v6 + "/disable_ipv6", "1"));  // no neighbour discovery, no MLD
  }
  if (network.spec.igmp == IgmpVersion::V2) {
    auto good = set_kernel("ipv4/conf/" + name + "/force_igmp_version", "2");
    if (!good) return good;
  }
  auto netlink = Netlink::open();
  if (!netlink) return std::unexpected(netlink.error());
  auto good = netlink->set_link(index_, {.mac = mac, .mtu = port.mtu, .up = true});
  if (!good) return good;
  for (const auto& address : network.spec.addresses) {
    if (good = netlink->add_address(index_, address); !good) return good;
    if (!port.gateway || !address.contains(*port.gateway)) continue;
    if (good = netlink->add_default_route(index_, *port.gateway); !good) return good;
  }
  return {};
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
                         send_(FrameView(buffer_).first(length));
                         read();
                       });
}

}  // namespace castgate
