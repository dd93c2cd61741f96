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

std::string names_of(const std::vector<OutputSpec>& outputs) {
  std::string names;
  for (const OutputSpec& output : outputs) names += (names.empty() ? "" : ", ") + output.name;
  return names;
}

}  // namespace

void check_demand(RuleContext& rules, const StreamSpec& stream) {
  const std::string path = path_of(stream) + ".join";
  if (stream.join == UpstreamJoin::Always) {
    const std::string linger = path_of(stream) + ".linger";
    if (rules.given(linger) && !rules.bad(path)) {
      rules.error(linger, "has no effect without join: on_demand");
    }
    return;
  }
  const auto is_group = [](const LegSpec& leg) { return leg.to.address.is_multicast(); };
  if (stream.unicasts.empty()) {
    rules.error(path,
                "on_demand waits for unicast clients, and no output lets any join: the stream "
                "would never start; join: always, or an output with unicast: {}");
  } else if (rules.given(path_of(stream) + ".legs") &&
             !std::ranges::any_of(stream.legs, is_group)) {
    rules.error(path, "has no effect: no leg is a group that could be joined");
  } else if (!stream.outputs.empty()) {
    rules.warn(path, fmt::format("receivers of groups ({}) are not counted: they get nothing while "
                                 "no unicast client is there; join: always sends to them always",
                                 names_of(stream.outputs)));
  }
}

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
  const std::size_t workers = rules.spec().appliance.worker_cores.size();
  if (workers != 0 && unicast.fan_workers > workers && !rules.bad("appliance.worker_cores")) {
    rules.error(
        path + ".unicast.fan_workers",
        fmt::format("{} is more than appliance.worker_cores has, {}: list more cores there, "
                    "or fan_workers: {}",
                    unicast.fan_workers, workers, workers));
  }
}

}  // namespace castgate
