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
    const UnicastSpec& unicast = stream.unicasts[route.unicast];
    named.push_back({stream.name, unicast.name, route.to.to_string(), counters[c],
                     spec.ports[unicast.port].mtu});
  }
  return named;
}

Table clients_table(const std::vector<NamedClient>& clients) {
  Table table({{"stream", Align::Left},
               {"output", Align::Left},
               {"client", Align::Left},
               {"packets"},
               {"bytes"},
               {"dropped"},
               {"mtu"}});
  for (const NamedClient& client : clients) {
    const auto& drops = client.counters.drops;
    table.add_row({client.stream, client.output, client.address,
                   fmt::to_string(client.counters.packets), fmt::to_string(client.counters.bytes),
                   fmt::to_string(std::reduce(drops.begin(), drops.end())),
                   client.mtu == 0 ? "-" : fmt::to_string(client.mtu)});
  }
  return table;
}

nlohmann::json client_json(const NamedClient& client) {
  nlohmann::json drops = nlohmann::json::object();
  for (std::size_t d = 0; d < kClientDrops; ++d) {
    drops[std::string(kClientDropNames[d])] = client.counters.drops[d];
  }
  return {{"stream", client.stream},        {"output", client.output},
          {"address", client.address},      {"packets", client.counters.packets},
          {"bytes", client.counters.bytes}, {"drops", drops}};
}

std::string clients_text(const nlohmann::json& reply) {
  std::vector<NamedClient> clients;
  for (const nlohmann::json& client : reply.value("clients", nlohmann::json::array())) {
    NamedClient& one = clients.emplace_back();
    one.stream = client.value("stream", "");
    one.output = client.value("output", "");
    one.address = client.value("address", "");
    one.mtu = client.value("mtu", 0u);
    one.counters.packets = client.value("packets", std::uint64_t{0});
    one.counters.bytes = client.value("bytes", std::uint64_t{0});
    const auto drops = client.value("drops", nlohmann::json::object());
    for (std::size_t d = 0; d < kClientDrops; ++d) {
      one.counters.drops[d] = drops.value(std::string(kClientDropNames[d]), std::uint64_t{0});
    }
  }
  const auto total = reply.value("total", clients.size());
  const std::string shown =
      total == clients.size() ? "" : fmt::format(", {} of them here", clients.size());
  return clients_table(clients).to_string() + fmt::format("\n{} clients{}\n", total, shown);
}

std::string doors_text(const nlohmann::json& reply) {
  Table table({{"door", Align::Left}, {"counter", Align::Left}, {"value"}});
  const auto add = [&](const std::string& door, const nlohmann::json& counters) {
    for (const auto& [counter, value] : counters.items()) {
      table.add_row({door, counter, value.dump()});
    }
  };
  for (const auto& [door, counters] : reply["doors"].items()) add(door, counters);
  add("icmp", reply.value("icmp", nlohmann::json::object()));
  return table.to_string();
}

nlohmann::json clients_json(const std::vector<NamedClient>& clients) {
  nlohmann::json out = nlohmann::json::array();
  for (const NamedClient& client : clients) out.push_back(client_json(client));
  return out;
}

}  // namespace castgate
