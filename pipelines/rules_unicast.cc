// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>

#include "pipelines/rules.h"

namespace castgate {
namespace {

bool lists_addresses(const PortSpec& port, const VlanTags& vlan) {
  const NetworkSpec* network = find_network(port, vlan);
  return network != nullptr && !network->addresses.empty();
}

}  // namespace

// Clients need an address to get packets from: the output's own, one of the port's network, or that
// of another output.
void check_unicast(RuleContext& rules, const StreamSpec& stream, const UnicastSpec& unicast) {
  const std::string path = path_of(stream, unicast);
  if (unicast.source) {
    if (const auto fault = source_fault(*unicast.source)) {
      rules.error(path + ".source", std::string(*fault));
    }
  } else if (rules.given(path + ".port") && !rules.bad(path + ".vlan")) {
    const PortSpec& port = rules.spec().ports[unicast.port];
    if (stream.outputs.empty() && !lists_addresses(port, unicast.vlan)) {
      rules.error(path + ".unicast",
                  fmt::format("port {} ({}) lists no addresses, and source: is not given: clients "
                              "get packets from one of these",
                              port.name, unicast.vlan.to_string()));
    }
  }
  const unsigned most = rules.spec().appliance.max_clients;
  if (unicast.max_clients > most) {
    rules.error(
        path + ".unicast.max_clients",
        fmt::format("{} is more than appliance.max_clients, {}", unicast.max_clients, most));
  }
}

}  // namespace castgate
