// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/next_hops.h"

#include <fmt/format.h>
#include <utility>

#include "controlplane/clients/client_route.h"

namespace castgate {
namespace {

const UnicastSpec& unicast_of(const Spec& spec, const ClientRoute& route) {
  return spec.streams[route.stream].unicasts[route.unicast];
}

}  // namespace

void NextHops::set_resolver(HopResolver* resolver) {
  resolver_ = resolver;
  if (resolver_ == nullptr) return;
  for (auto& [hop, way] : ways_) {
    if (way.is_static) continue;
    if (const auto mac = resolver_->watch(hop)) changed(hop, mac);
  }
}

bool NextHops::follows_routes(const ClientRoute& route) const {
  const UnicastSpec& unicast = unicast_of(spec_, route);
  const NetworkSpec* network = find_network(spec_.ports[unicast.port], unicast.vlan);
  const bool listed = network != nullptr && !network->addresses.empty();
  return resolver_ != nullptr && (!listed || !next_hop_address(spec_, route));
}

// As the file has it; beyond the port's own networks as whoever has routes there.
std::optional<Hop> NextHops::hop_for(const ClientRoute& route) const {
  const UnicastSpec& unicast = unicast_of(spec_, route);
  auto address = next_hop_address(spec_, route);
  if (follows_routes(route)) {
    const auto router = resolver_->router_for(unicast.port, unicast.vlan, route.to.address);
    if (router) address = router;
  }
  if (!address) return std::nullopt;
  return Hop{unicast.port, unicast.vlan, *address};
}

std::optional<MacAddress> NextHops::static_mac(const Hop& hop) const {
  const auto& neighbours = spec_.ports[hop.port].neighbours;
  const auto found = neighbours.find(hop.address);
  return found == neighbours.end() ? std::nullopt : std::optional(found->second);
}

std::optional<MacAddress> NextHops::mac_for(const ClientRoute& route) const {
  const auto hop = hop_for(route);
  if (!hop) return std::nullopt;
  const auto way = ways_.find(*hop);
  return way == ways_.end() ? static_mac(*hop) : way->second.mac;
}

std::optional<std::string> NextHops::why_never(const ClientRoute& route) const {
  const auto hop = hop_for(route);
  const std::string& port = spec_.ports[unicast_of(spec_, route).port].name;
  if (!hop) {
    return fmt::format("{} is in no network of port {}: see addresses and gateway",
                       route.to.address.to_string(), port);
  }
  if (static_mac(*hop)) return std::nullopt;
  if (resolver_ != nullptr && resolver_->resolves(hop->port, hop->vlan)) return std::nullopt;
  return fmt::format(
      "nobody can be asked for the MAC address of {} on port {} ({}): see neighbours, or addresses",
      hop->address.to_string(), port, hop->vlan.to_string());
}

ClientsOfHop& NextHops::way_to(const Hop& hop) {
  const auto [found, is_new] = ways_.try_emplace(hop);
  Way& way = found->second;
  if (!is_new) return way;
  way.hop = &found->first;
  way.mac = static_mac(hop);
  way.is_static = way.mac.has_value() || hop.address.is_unspecified();
  if (!way.is_static && resolver_ != nullptr) {
    const auto mac = resolver_->watch(hop);
    way.mac = mac;
  }
  return way;
}

std::optional<MacAddress> NextHops::ask(const ClientRoute& route) {
  const auto hop = hop_for(route);
  if (!hop) return std::nullopt;
  Way& way = way_to(*hop);
  way.asked = 2;
  return way.mac;
}

void NextHops::forget_asked() {
  for (auto& [hop, way] : ways_) {
    if (way.asked > 0) --way.asked;
  }
  leave_idle();
}

void NextHops::leave_idle() {
  for (auto next = ways_.begin(); next != ways_.end();) {
    Way& way = next++->second;
    if (way.clients.empty() && way.asked == 0) leave(way);
  }
}

void NextHops::add(ClientEntry& client) {
  client.behind = nullptr;
  const auto hop = hop_for(client.route);
  if (!hop) return;
  Way& way = way_to(*hop);
  const bool knows = client.route.next_hop == way.mac && way.told == way.clients.size();
  client.behind = &way;
  way.clients.push_back(nullptr);
  put(way, way.clients.size() - 1, &client);
  if (knows) {
    ++way.told;
  } else {
    queue(way);
  }
}

void NextHops::put(Way& way, std::size_t at, ClientEntry* client) {
  way.clients[at] = client;
  client->at = static_cast<std::uint32_t>(at);
}

void NextHops::remove(ClientEntry& client) {
  if (client.behind == nullptr) return;
  Way& way = *std::exchange(client.behind, nullptr);
  std::size_t hole = client.at;
  // Who has been told stays before who has not.
  if (hole < way.told) {
    --way.told;
    put(way, hole, way.clients[way.told]);
    hole = way.told;
  }
  if (hole + 1 < way.clients.size()) put(way, hole, way.clients.back());
  way.clients.pop_back();
  if (way.clients.empty() && way.asked == 0) leave(way);
}

bool NextHops::review(ClientEntry& client) {
  if (!follows_routes(client.route)) return false;
  const UnicastSpec& unicast = unicast_of(spec_, client.route);
  const auto hop = hop_for(client.route);
  if (client.behind == nullptr && !hop) return true;
  // Nobody has the unspecified address: to clients that have no way any more nothing is sent.
  const Hop to = hop.value_or(Hop{unicast.port, unicast.vlan, IpAddress::v4(0)});
  if (client.behind == nullptr || *client.behind->hop != to) move(client, to);
  return true;
}

// Who keeps a MAC address counts as told, until another one is known or the grace has ended.
void NextHops::move(ClientEntry& client, const Hop& hop) {
  remove(client);
  Way& way = way_to(hop);
  client.behind = &way;
  way.clients.push_back(nullptr);
  put(way, way.clients.size() - 1, &client);
  if (way.mac || way.is_static) return queue(way);
  put(way, way.clients.size() - 1, way.clients[way.told]);
  put(way, way.told++, &client);
  if (!std::exchange(way.awaited, true)) awaited_.emplace_back(turns_ + kTurnsOfGrace, hop);
}

void NextHops::end_grace() {
  for (; !awaited_.empty() && awaited_.front().first <= turns_; awaited_.pop_front()) {
    const auto found = ways_.find(awaited_.front().second);
    if (found == ways_.end() || !std::exchange(found->second.awaited, false)) continue;
    if (found->second.mac) continue;
    found->second.told = 0;
    queue(found->second);
  }
}

void NextHops::tell_again(ClientEntry& client) {
  if (client.behind == nullptr) return;
  Way& way = *client.behind;
  if (client.at < way.told) {
    --way.told;
    const std::uint32_t at = client.at;
    put(way, at, way.clients[way.told]);
    put(way, way.told, &client);
  }
  queue(way);
}

void NextHops::leave(Way& way) {
  if (!way.is_static && resolver_ != nullptr) resolver_->unwatch(*way.hop);
  ways_.erase(ways_.find(*way.hop));
}

void NextHops::replace(std::span<ClientEntry* const> clients) {
  for (auto& [hop, way] : ways_) way.clients.clear();
  for (ClientEntry* client : clients) add(*client);
  leave_idle();
  for (auto& [hop, way] : ways_) {
    way.told = 0;  // the routes are of when they joined
    queue(way);
  }
}

void NextHops::queue(Way& way) {
  if (way.queued) return;
  way.queued = true;
  queue_.push_back(*way.hop);
}

void NextHops::changed(const Hop& hop, std::optional<MacAddress> mac) {
  const auto found = ways_.find(hop);
  if (found == ways_.end()) return;
  Way& way = found->second;
  if (way.is_static || way.mac == mac) return;
  way.mac = mac;
  way.told = 0;
  queue(way);
}

// False where a worker is busy for the moment.
bool NextHops::tell(Way& way, unsigned& budget, Runtime& runtime) {
  for (; way.told < way.clients.size() && budget > 0; --budget) {
    ClientEntry& client = *way.clients[way.told];
    client.route.next_hop = way.mac;
    if (!runtime.change(client.place, client.route)) return false;
    ++way.told;
  }
  return true;
}

void NextHops::turn(Runtime& runtime) {
  ++turns_;
  end_grace();
  unsigned budget = kChangesPerTurn;
  for (std::size_t ways = queue_.size(); ways > 0 && budget > 0; --ways) {
    const auto found = ways_.find(queue_.front());
    queue_.pop_front();
    if (found == ways_.end()) continue;
    Way& way = found->second;
    way.queued = false;
    // Who could not be told yet waits behind the others, which may be another worker's.
    (void)tell(way, budget, runtime);
    if (way.told < way.clients.size()) queue(way);
  }
}

}  // namespace castgate
