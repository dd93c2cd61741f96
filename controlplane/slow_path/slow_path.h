// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "controlplane/slow_path/hop_finder.h"
#include "controlplane/slow_path/host_networks.h"
#include "controlplane/slow_path/net_namespace.h"
#include "dataplane/base/error.h"
#include "dataplane/contract/runtime.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Linux as the host stack of every port: answers ARP and ICMP, joins the legs' groups and keeps
// them joined. Ports that Linux has itself (net_af_packet) are left to it; every other port with
// addresses has a twin in a network namespace of our own. All on the thread of `io`.
class SlowPath {
 public:
  // Whether somebody asks for memberships on a network, `red` or `red.43`; told every second.
  struct Alarms {
    std::function<void(const std::string& network, const std::string& text)> no_querier;
    std::function<void(const std::string& network)> querier;
  };

  struct Asked {
    WantedStreams wanted;        // whose groups are joined
    HopFinder::Changed changed;  // a next hop that is watched
    RouteWatch::Changed routes_changed;
  };

  // Spec and runtime must outlive it; the runtime's snapshot tells the ports' MAC addresses.
  SlowPath(boost::asio::io_context& io, const Spec& spec, Runtime& runtime, Alarms alarms,
           Asked asked = {});
  SlowPath(const SlowPath&) = delete;
  SlowPath& operator=(const SlowPath&) = delete;
  ~SlowPath();

  // Makes twins, joins groups, begins to watch. An error names the port and what is missing. Does
  // nothing, and needs no privilege, where no port has an address and no leg a group.
  Result<void> start();
  // After the spec, or what is wanted, has changed: joins what its legs want now, leaves what they
  // want no more. Ports and their addresses stay.
  Result<void> follow();
  // Where the twins are; null: no port has one.
  const NetNamespace* twins_space() const noexcept;
  // A frame that the data plane punted.
  void take(const HostFrame& frame);
  // Who knows the MAC addresses of next hops.
  HopResolver& hops() noexcept;
  // Old IGMP queries kept from the host stack (`igmp: 3`).
  std::uint64_t filtered_queries() const noexcept;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace castgate
