// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "controlplane/clients/hop_resolver.h"
#include "controlplane/slow_path/neighbours.h"
#include "controlplane/slow_path/net_namespace.h"
#include "controlplane/slow_path/netlink.h"
#include "controlplane/slow_path/route_watch.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// MAC addresses of next hops on the ports' networks, as Linux resolves them: on the interface of a
// port that Linux has itself, or on the port's twin.
class HopFinder final : public HopResolver {
 public:
  using Changed = std::function<void(const Hop& hop, std::optional<MacAddress> mac)>;

  // `spec` is the one that runs, wherever it changes.
  HopFinder(boost::asio::io_context& io, const Spec& spec, Changed changed,
            RouteWatch::Changed routes_changed)
      : io_(io),
        spec_(spec),
        changed_(std::move(changed)),
        routes_changed_(std::move(routes_changed)) {}

  // The twin of a port on one of its networks; all are in one namespace.
  Result<void> add_twin(unsigned port, VlanTags vlan, unsigned interface,
                        const NetNamespace& space);

  bool resolves(unsigned port, VlanTags vlan) override { return place_of(port, vlan) != nullptr; }
  std::optional<IpAddress> router_for(unsigned port, VlanTags vlan, const IpAddress& to) override;
  std::optional<MacAddress> watch(const Hop& hop) override;
  void unwatch(const Hop& hop) override;

 private:
  struct Place {
    bool is_twin = false;
    unsigned interface = 0;
  };
  using Network = std::pair<unsigned, VlanTags>;

  const Place* place_of(unsigned port, VlanTags vlan);
  std::unique_ptr<Neighbours> made(UniqueFd socket, bool of_twins);
  void open_routes();
  Neighbours& neighbours(const Place& place) { return *(place.is_twin ? there_ : here_); }

  boost::asio::io_context& io_;
  const Spec& spec_;
  Changed changed_;
  RouteWatch::Changed routes_changed_;
  std::map<Network, Place> places_;
  std::map<Hop, Place> watched_;
  std::unique_ptr<Neighbours> here_;   // in the namespace that we run in
  std::unique_ptr<Neighbours> there_;  // in the twins'
  std::optional<Netlink> routes_;      // of ours
  std::unique_ptr<RouteWatch> route_watch_;
};

}  // namespace castgate
