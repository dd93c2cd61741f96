// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/host_networks.h"

#include <algorithm>

#include "dataplane/base/device_string.h"

namespace castgate {
namespace {

HostNetwork& network_of(std::vector<HostNetwork>& networks, unsigned port, VlanTags tags) {
  const auto found = std::ranges::find_if(networks, [&](const HostNetwork& network) {
    return network.port == port && network.spec.tags == tags;
  });
  if (found != networks.end()) return *found;
  networks.push_back({.port = port, .spec = {.tags = tags, .addresses = {}}});
  return networks.back();
}

void add(std::vector<JoinedGroup>& groups, const LegSpec& leg) {
  const auto found = std::ranges::find(groups, leg.to.address, &JoinedGroup::group);
  if (found == groups.end()) {
    groups.push_back({.group = leg.to.address});
    if (leg.from) groups.back().sources.push_back(*leg.from);
    return;
  }
  if (found->sources.empty()) return;  // any source already
  if (!leg.from) {
    found->sources.clear();
  } else if (std::ranges::find(found->sources, *leg.from) == found->sources.end()) {
    found->sources.push_back(*leg.from);
  }
}

}  // namespace

bool HostNetwork::wants_v6() const noexcept {
  return !groups6.empty() || std::ranges::any_of(spec.addresses, [](const IpPrefix& prefix) {
    return !prefix.address.is_v4();
  });
}

std::vector<HostNetwork> host_networks(const Spec& spec, const WantedStreams& wanted) {
  std::vector<HostNetwork> networks;
  for (unsigned port = 0; port < spec.ports.size(); ++port) {
    for (const auto& network : spec.ports[port].networks) {
      networks.push_back({.port = port, .spec = network});
    }
  }
  for (std::size_t s = 0; s < spec.streams.size(); ++s) {
    if (wanted && !wanted(s)) continue;
    for (const auto& leg : spec.streams[s].legs) {
      if (!leg.to.address.is_multicast()) continue;
      auto& network = network_of(networks, leg.port, leg.vlan);
      add(leg.to.address.is_v4() ? network.groups4 : network.groups6, leg);
    }
  }
  return networks;
}

bool has_addresses(const PortSpec& port) noexcept {
  return std::ranges::any_of(port.networks,
                             [](const NetworkSpec& network) { return !network.addresses.empty(); });
}

bool is_of_twin(const Spec& spec, const IpAddress& address) noexcept {
  const auto lists = [&](const NetworkSpec& network) {
    return std::ranges::find(network.addresses, address, &IpPrefix::address) !=
           network.addresses.end();
  };
  return std::ranges::any_of(spec.ports, [&](const PortSpec& port) {
    return !kernel_is_host(port.device) && std::ranges::any_of(port.networks, lists);
  });
}

std::string name_of(const Spec& spec, const HostNetwork& network) {
  const std::string& port = spec.ports[network.port].name;
  return network.spec.tags.count() == 0 ? port : port + "." + network.spec.tags.to_string();
}

}  // namespace castgate
