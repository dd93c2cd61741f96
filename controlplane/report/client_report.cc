// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/client_report.h"

#include <fmt/format.h>
#include <numeric>

namespace castgate {

std::vector<NamedClient> named_clients(const Spec& spec, const std::vector<ReplayClient>& clients,
                                       const std::vector<ClientCounters>& counters) {
  std::vector<NamedClient> named;
  for (std::size_t c = 0; c < clients.size() && c < counters.size(); ++c) {
    const ClientRoute& route = clients[c].route;
    const StreamSpec& stream = spec.streams[route.stream];
    named.push_back(
        {stream.name, stream.unicasts[route.unicast].name, route.to.to_string(), counters[c]});
  }
  return named;
}

Table clients_table(const std::vector<NamedClient>& clients) {
  Table table({{"stream", Align::Left},
               {"output", Align::Left},
               {"client", Align::Left},
               {"packets"},
               {"bytes"},
               {"dropped"}});
  for (const NamedClient& client : clients) {
    const auto& drops = client.counters.drops;
    table.add_row({client.stream, client.output, client.address,
                   fmt::to_string(client.counters.packets), fmt::to_string(client.counters.bytes),
                   fmt::to_string(std::reduce(drops.begin(), drops.end()))});
  }
  return table;
}

nlohmann::json clients_json(const std::vector<NamedClient>& clients) {
  nlohmann::json out = nlohmann::json::array();
  for (const NamedClient& client : clients) {
    nlohmann::json drops = nlohmann::json::object();
    for (std::size_t d = 0; d < kClientDrops; ++d) {
      drops[std::string(kClientDropNames[d])] = client.counters.drops[d];
    }
    out.push_back({{"stream", client.stream},
                   {"output", client.output},
                   {"address", client.address},
                   {"packets", client.counters.packets},
                   {"bytes", client.counters.bytes},
                   {"drops", drops}});
  }
  return out;
}

}  // namespace castgate
