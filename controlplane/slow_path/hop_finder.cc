// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/hop_finder.h"

#include <net/if.h>
#include <spdlog/spdlog.h>

#include "controlplane/slow_path/kernel_network.h"
#include "dataplane/base/device_string.h"

namespace castgate {

std::unique_ptr<Neighbours> HopFinder::made(UniqueFd socket, bool of_twins) {
  return std::make_unique<Neighbours>(
      io_, std::move(socket),
      [this, of_twins](const NeighbourKey& key, std::optional<MacAddress> mac) {
        for (const auto& [network, place] : places_) {
          if (place.is_twin != of_twins || place.interface != key.interface) continue;
          changed_({network.first, network.second, key.address}, mac);
        }
      });
}

Result<void> HopFinder::add_twin(unsigned port, VlanTags vlan, unsigned interface,
                                 const NetNamespace& space) {
  places_[{port, vlan}] = {.is_twin = true, .interface = interface};
  if (there_) return {};
  Result<UniqueFd> socket;
  const auto ran = space.run([&]() -> Result<void> {
    socket = Neighbours::open_socket();
    return {};
  });
  if (!ran) return ran;
  if (!socket) return std::unexpected(socket.error());
  there_ = made(std::move(*socket), true);
  return {};
}

// Interfaces of the kernel's are looked up when they are first asked for.
const HopFinder::Place* HopFinder::place_of(unsigned port, VlanTags vlan) {
  const auto known = places_.find({port, vlan});
  if (known != places_.end()) return &known->second;
  const std::string& device = spec_.ports[port].device;
  if (!kernel_is_host(device)) return nullptr;
  const auto name = interface_for(device, vlan);
  const unsigned interface = name ? if_nametoindex(name->c_str()) : 0;
  if (interface == 0) return nullptr;
  if (!here_) {
    auto socket = Neighbours::open_socket();
    if (!socket) spdlog::warn("{}", socket.error().text);
    if (!socket) return nullptr;
    here_ = made(std::move(*socket), false);
  }
  return &(places_[{port, vlan}] = {.is_twin = false, .interface = interface});
}

// What changes is heard from before the first question on.
void HopFinder::open_routes() {
  if (routes_changed_) {
    auto watch = RouteWatch::open(io_, routes_changed_);
    if (!watch) spdlog::warn("{}: routes that change are not followed", watch.error().text);
    if (watch) route_watch_ = *std::move(watch);
  }
  auto opened = Netlink::open();
  if (opened) routes_ = std::move(*opened);
}

std::optional<IpAddress> HopFinder::router_for(unsigned port, VlanTags vlan, const IpAddress& to) {
  const Place* place = place_of(port, vlan);
  if (place == nullptr || place->is_twin) return std::nullopt;  // a twin's routes are the file's
  if (!routes_) open_routes();
  if (!routes_) return std::nullopt;
  return routes_->gateway_to(to, place->interface);
}

std::optional<MacAddress> HopFinder::watch(const Hop& hop) {
  const Place* place = place_of(hop.port, hop.vlan);
  if (place == nullptr || !watched_.try_emplace(hop, *place).second) return std::nullopt;
  return neighbours(*place).watch({place->interface, hop.address});
}

void HopFinder::unwatch(const Hop& hop) {
  const auto watched = watched_.find(hop);
  if (watched == watched_.end()) return;
  neighbours(watched->second).unwatch({watched->second.interface, hop.address});
  watched_.erase(watched);
}

}  // namespace castgate
