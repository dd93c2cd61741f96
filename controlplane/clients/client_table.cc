// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/client_table.h"

#include <algorithm>
#include <fmt/format.h>

#include "controlplane/clients/client_route.h"

namespace castgate {
namespace {

std::string full_name(const std::string& stream, const std::string& output) {
  return stream + "." + output;
}

const UnicastSpec& unicast_of(const Spec& spec, const ClientRoute& route) {
  return spec.streams[route.stream].unicasts[route.unicast];
}

}  // namespace

Result<ClientRoute> ClientTable::way_to(const std::string& output, const Endpoint& client) const {
  auto where = find_unicast(spec_, output);
  if (!where) return where;
  auto route = route_to(spec_, *where, client);
  if (route) route->next_hop = static_next_hop(spec_, *route);
  return route;
}

Result<const ClientEntry*> ClientTable::join(const std::string& output, const Endpoint& client,
                                             Instant now) {
  if (runtime_ == nullptr) return fail("not running");
  const auto route = way_to(output, client);
  if (!route) return std::unexpected(route.error());
  const StreamSpec& stream = spec_.streams[route->stream];
  const UnicastSpec& unicast = unicast_of(spec_, *route);
  const Key key{full_name(stream.name, unicast.name), client};
  if (const auto there = clients_.find(key); there != clients_.end()) return &there->second;
  if (clients_.size() >= spec_.appliance.max_clients) {
    return fail(fmt::format("{} clients are all that appliance.max_clients allows",
                            spec_.appliance.max_clients));
  }
  const auto place = runtime_->join(*route);
  if (!place) return std::unexpected(place.error());
  ClientEntry& entry = clients_[key];
  entry = {fmt::format("c{}", ++joined_), stream.name, unicast.name, *route, *place, now};
  return &entry;
}

Result<ClientEntry> ClientTable::leave(const std::string& output, const Endpoint& client) {
  if (runtime_ == nullptr) return fail("not running");
  const auto where = find_unicast(spec_, output);
  if (!where) return std::unexpected(where.error());
  const std::string name =
      full_name(spec_.streams[where->stream].name, unicast_of(spec_, *where).name);
  const auto found = clients_.find({name, client});
  if (found == clients_.end()) {
    return fail(fmt::format("{} is no client of {}", client.to_string(), name));
  }
  if (!runtime_->leave(found->second.place)) return fail("the worker is busy; try again");
  ClientEntry gone = std::move(found->second);
  clients_.erase(found);
  return gone;
}

std::vector<ClientEntry> ClientTable::all() const {
  std::vector<ClientEntry> entries;
  entries.reserve(clients_.size());
  for (const auto& [key, entry] : clients_) entries.push_back(entry);
  return entries;
}

ClientCounters ClientTable::counters(const ClientEntry& client) const {
  return runtime_ == nullptr ? ClientCounters{} : runtime_->client_counters(client.place);
}

// Is the client's output what it was? Its place among the stream's outputs may be another.
bool ClientTable::stays(const Spec& before, ClientEntry& client) const {
  const UnicastSpec& was = unicast_of(before, client.route);
  if (client.route.stream >= spec_.streams.size()) return false;
  const StreamSpec& stream = spec_.streams[client.route.stream];
  const auto now = std::ranges::find(stream.unicasts, was);
  if (stream.name != client.stream || now == stream.unicasts.end()) return false;
  const auto unicast = static_cast<std::uint16_t>(now - stream.unicasts.begin());
  client.route.unicast = unicast;
  client.place.unicast = unicast;
  return true;
}

unsigned ClientTable::follow(const Spec& before) {
  unsigned gone = 0;
  for (auto next = clients_.begin(); next != clients_.end();) {
    ClientEntry& client = next->second;
    if (stays(before, client)) {
      ++next;
      continue;
    }
    const auto route = way_to(next->first.first, next->first.second);
    const auto place = route ? runtime_->join(*route) : Result<ClientPlace>(fail("no way"));
    if (place) {
      client.route = *route;
      client.place = *place;
      ++next;
    } else {
      next = clients_.erase(next);
      ++gone;
    }
  }
  return gone;
}

}  // namespace castgate
