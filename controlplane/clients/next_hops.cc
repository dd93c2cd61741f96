// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/next_hops.h"

#include <fmt/format.h>

#include "controlplane/clients/client_route.h"

namespace castgate {
namespace {

const UnicastSpec& unicast_of(const Spec& spec, const ClientRoute& route) {
  return spec.streams[route.stream].unicasts[route.unicast];
}

}  // namespace

NextHops::Key NextHops::key_of(const ClientPlace& place) noexcept {
  return Key{place.stream} << 48 | Key{place.unicast} << 32 | place.slot;
}

ClientPlace NextHops::place_of(Key key) noexcept {
  return {static_cast<std::uint16_t>(key >> 48), static_cast<std::uint16_t>(key >> 32),
          static_cast<std::uint32_t>(key)};
}

void NextHops::set_resolver(HopResolver* resolver) {
  resolver_ = resolver;
  if (resolver_ == nullptr) return;
  for (auto& [hop, way] : ways_) {
    if (way.is_static) continue;
    if (const auto mac = resolver_->watch(hop)) changed(hop, mac);
  }
}

// As the file has it; beyond the port's own networks as whoever has routes there.
std::optional<Hop> NextHops::hop_for(const ClientRoute& route) const {
  const UnicastSpec& unicast = unicast_of(spec_, route);
  const NetworkSpec* network = find_network(spec_.ports[unicast.port], unicast.vlan);
  const bool listed = network != nullptr && !network->addresses.empty();
  auto address = next_hop_address(spec_, route);
  if (resolver_ != nullptr && (!address || !listed)) {
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

NextHops::Ways::iterator NextHops::way_to(const Hop& hop) {
  const auto [way, is_new] = ways_.try_emplace(hop);
  if (!is_new) return way;
  way->second.mac = static_mac(hop);
  way->second.is_static = way->second.mac.has_value();
  if (!way->second.is_static && resolver_ != nullptr) {
    const auto mac = resolver_->watch(hop);
    way->second.mac = mac;
  }
  return way;
}

std::optional<MacAddress> NextHops::ask(const ClientRoute& route) {
  const auto hop = hop_for(route);
  if (!hop) return std::nullopt;
  const auto way = way_to(*hop);
  way->second.asked = 2;
  return way->second.mac;
}

void NextHops::forget_asked() {
  for (auto way = ways_.begin(); way != ways_.end();) {
    const auto next = std::next(way);
    if (way->second.asked > 0 && --way->second.asked == 0 && way->second.clients.empty())
      leave(way);
    way = next;
  }
}

void NextHops::add(const ClientPlace& place, const ClientRoute& route) {
  const auto hop = hop_for(route);
  if (!hop) return;
  const auto way = way_to(*hop);
  auto& behind = way->second.clients;
  const bool knows = route.next_hop == way->second.mac && way->second.told == behind.size();
  clients_[key_of(place)] = {route, way, static_cast<std::uint32_t>(behind.size())};
  behind.push_back(key_of(place));
  if (knows) {
    ++way->second.told;
  } else {
    queue(way);
  }
}

void NextHops::move(Way& way, std::size_t from, std::size_t to) {
  if (from == to) return;
  way.clients[to] = way.clients[from];
  clients_.find(way.clients[to])->second.at = static_cast<std::uint32_t>(to);
}

void NextHops::remove(const ClientPlace& place) {
  const auto found = clients_.find(key_of(place));
  if (found == clients_.end()) return;
  const auto way = found->second.way;
  auto& behind = way->second.clients;
  std::size_t hole = found->second.at;
  clients_.erase(found);
  // Who has been told stays before who has not.
  if (hole < way->second.told) {
    --way->second.told;
    move(way->second, way->second.told, hole);
    hole = way->second.told;
  }
  move(way->second, behind.size() - 1, hole);
  behind.pop_back();
  if (behind.empty() && way->second.asked == 0) leave(way);
}

void NextHops::leave(Ways::iterator way) {
  if (!way->second.is_static && resolver_ != nullptr) resolver_->unwatch(way->first);
  ways_.erase(way);
}

void NextHops::replace(const Clients& clients) {
  clients_.clear();
  for (auto& [hop, way] : ways_) {
    way.clients.clear();
    way.told = 0;
  }
  for (const auto& [place, route] : clients) add(place, route);
  for (auto way = ways_.begin(); way != ways_.end();) {
    const auto next = std::next(way);
    if (way->second.clients.empty() && way->second.asked == 0) {
      leave(way);
    } else {
      way->second.told = 0;  // the routes are of when they joined
      queue(way);
    }
    way = next;
  }
}

void NextHops::queue(Ways::iterator way) {
  if (way->second.queued) return;
  way->second.queued = true;
  queue_.push_back(way->first);
}

void NextHops::changed(const Hop& hop, std::optional<MacAddress> mac) {
  const auto way = ways_.find(hop);
  if (way == ways_.end() || way->second.is_static || way->second.mac == mac) return;
  way->second.mac = mac;
  way->second.told = 0;
  queue(way);
}

// False where a worker is busy for the moment.
bool NextHops::tell(Way& way, unsigned& budget, Runtime& runtime) {
  for (; way.told < way.clients.size() && budget > 0; --budget) {
    const Key key = way.clients[way.told];
    ClientRoute& route = clients_.find(key)->second.route;
    route.next_hop = way.mac;
    if (!runtime.change(place_of(key), route)) return false;
    ++way.told;
  }
  return true;
}

void NextHops::turn(Runtime& runtime) {
  unsigned budget = kChangesPerTurn;
  for (std::size_t ways = queue_.size(); ways > 0 && budget > 0; --ways) {
    const Hop hop = queue_.front();
    queue_.pop_front();
    const auto way = ways_.find(hop);
    if (way == ways_.end()) continue;
    way->second.queued = false;
    // Who could not be told yet waits behind the others, which may be another worker's.
    (void)tell(way->second, budget, runtime);
    if (way->second.told < way->second.clients.size()) queue(way);
  }
}

}  // namespace castgate
