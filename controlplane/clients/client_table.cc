// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/client_table.h"

#include <algorithm>
#include <fmt/format.h>

#include "controlplane/clients/client_route.h"

namespace castgate {
namespace {

constexpr unsigned kLooksPerTurn = 4096;
constexpr Nanoseconds kBusy = std::chrono::milliseconds(10);

const UnicastSpec& unicast_of(const Spec& spec, const ClientRoute& route) {
  return spec.streams[route.stream].unicasts[route.unicast];
}

std::unexpected<ClientError> refuse(ClientFault fault, std::string text) {
  return std::unexpected(ClientError{fault, std::move(text)});
}

}  // namespace

ClientResult<ClientRoute> ClientTable::way_to(const std::string& output,
                                              const Endpoint& client) const {
  const auto where = find_unicast(spec_, output);
  if (!where) return refuse(ClientFault::Unknown, where.error().text);
  auto route = route_to(spec_, *where, client);
  if (!route) return refuse(ClientFault::BadAddress, route.error().text);
  route->next_hop = next_hops_.mac_for(*route);
  return *route;
}

const OutputName* ClientTable::name_of(const ClientRoute& route) const {
  const std::uint32_t place = std::uint32_t{route.stream} << 16 | route.unicast;
  const OutputName*& name = named_[place];
  if (name == nullptr) {
    name = &*names_.insert({spec_.streams[route.stream].name, unicast_of(spec_, route).name}).first;
  }
  return name;
}

ClientResult<ClientTable::Joined> ClientTable::join(const JoinOrder& order, Instant now) {
  auto joined = add(order, order.lease, now);
  if (joined && joined->is_new && keeper_ != nullptr) keeper_->keep(*joined->client, order.lease);
  return joined;
}

ClientResult<ClientTable::Joined> ClientTable::restore(const JoinOrder& order, Nanoseconds left,
                                                       Instant now) {
  return add(order, left, now);
}

std::optional<ClientError> ClientTable::no_room(const JoinOrder& order,
                                                const ClientRoute& route) const {
  if (size_ >= spec_.appliance.max_clients) {
    return ClientError{ClientFault::NoPlace,
                       fmt::format("{} clients are all that appliance.max_clients allows",
                                   spec_.appliance.max_clients)};
  }
  const auto there = of_address_.find(order.client.address.bytes());
  if (there != of_address_.end() && there->second >= order.most_of_address) {
    return ClientError{
        ClientFault::Quota,
        fmt::format("{} has {} of {} clients that its address may have",
                    order.client.address.to_string(), there->second, order.most_of_address)};
  }
  if (const auto fits = admission_.may_join(spec_, route); !fits) {
    return ClientError{ClientFault::NoPlace, fits.error().text};
  }
  return {};
}

ClientResult<ClientTable::Joined> ClientTable::add(const JoinOrder& order, Nanoseconds left,
                                                   Instant now) {
  if (runtime_ == nullptr) return refuse(ClientFault::Busy, "not running");
  const auto route = way_to(order.output, order.client);
  if (!route) return std::unexpected(route.error());
  const Key key{name_of(*route), order.client};
  if (const auto there = slots_.find(key)) return Joined{&clients_[*there], false};
  if (auto fault = no_room(order, *route)) return std::unexpected(*std::move(fault));
  const auto begun = ClientSessions::begin(spec_, *route);
  if (begun && order.door != "rest") {
    return refuse(
        ClientFault::BadAddress,
        fmt::format("each client of {}.{} has a key of its own, which doors.rest tells it: "
                    "let it join there",
                    key.output->stream, key.output->output));
  }
  const auto place = runtime_->join(*route, begun ? begun->key.get() : nullptr);
  if (!place) return refuse(ClientFault::Busy, place.error().text);

  admission_.joined(spec_, *route);
  demand_.add(place->stream);
  const std::uint32_t slot = take_slot();
  ClientEntry& client = clients_[slot];
  client = {.id = order.id ? *order.id : ClientId::random(),
            .name = key.output,
            .door = order.door,
            .route = *route,
            .place = *place,
            .since = now,
            .lease = order.lease,
            .ttl_seen = order.ttl_seen,
            .present = true};
  if (order.lease.count() != 0) {
    client.expires = clock_.at(now) + left;
    leases_.put(slot, client.expires);
  }
  sessions_.keep(slot, begun);
  next_hops_.add(client);
  link(slot);
  slots_.insert(slot);
  order_.insert(slot);
  ++of_address_[order.client.address.bytes()];
  ++of_output_[key.output];
  ++size_;
  return Joined{&client, true};
}

std::uint32_t ClientTable::take_slot() {
  if (free_.empty()) {
    clients_.emplace_back();
    return static_cast<std::uint32_t>(clients_.size() - 1);
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  return slot;
}

void ClientTable::renew(const ClientEntry& client, Nanoseconds lease, Instant now) {
  const std::uint32_t slot = slot_of(client);
  ClientEntry& own = clients_[slot];
  own.lease = lease;
  own.expires = lease.count() == 0 ? kNever : clock_.at(now) + lease;
  if (lease.count() != 0) leases_.put(slot, own.expires);
  if (keeper_ != nullptr) keeper_->keep(own, lease);
}

// Into the chain of those with the same id, as the first.
void ClientTable::link(std::uint32_t slot) {
  if (const auto first = of_id_.find(clients_[slot].id)) {
    clients_[slot].next_of_id = *first;
    of_id_.erase(*first);
  }
  of_id_.insert(slot);
}

void ClientTable::unlink(std::uint32_t slot) {
  const ClientEntry& client = clients_[slot];
  std::uint32_t before = of_id_.at(client.id);
  if (before == slot) {
    of_id_.erase(slot);
    if (client.next_of_id != UINT32_MAX) of_id_.insert(client.next_of_id);
    return;
  }
  while (clients_[before].next_of_id != slot) before = clients_[before].next_of_id;
  clients_[before].next_of_id = client.next_of_id;
}

void ClientTable::remove(std::uint32_t slot) {
  ClientEntry& client = clients_[slot];
  if (keeper_ != nullptr) keeper_->forget(client);
  next_hops_.remove(client);
  demand_.remove(client.place.stream);
  unlink(slot);
  const auto address = of_address_.find(client.route.to.address.bytes());
  if (--address->second == 0) of_address_.erase(address);
  --of_output_[client.name];
  slots_.erase(slot);
  order_.erase(slot);
  reports_.erase(slot);
  sessions_.forget(slot);
  client.present = false;
  free_.push_back(slot);
  --size_;
}

bool ClientTable::leave(const ClientEntry& client) {
  if (runtime_ == nullptr || !runtime_->leave(client.place)) return false;
  admission_.left(spec_, client.route);
  remove(slot_of(client));
  return true;
}

ClientResult<ClientEntry> ClientTable::leave(const std::string& output, const Endpoint& client) {
  const auto where = find_unicast(spec_, output);
  if (!where) return refuse(ClientFault::Unknown, where.error().text);
  const ClientEntry* found = find(output, client);
  if (found == nullptr) {
    return refuse(ClientFault::Unknown,
                  fmt::format("{} is no client of {}.{}", client.to_string(),
                              spec_.streams[where->stream].name, unicast_of(spec_, *where).name));
  }
  ClientEntry gone = *found;
  if (!leave(*found)) return refuse(ClientFault::Busy, "the worker is busy; try again");
  return gone;
}

const ClientEntry* ClientTable::find(const std::string& output, const Endpoint& client) const {
  const auto where = find_unicast(spec_, output);
  if (!where) return nullptr;
  const auto found = slots_.find({name_of(*where), client});
  return found ? &clients_[*found] : nullptr;
}

std::vector<const ClientEntry*> ClientTable::find(const ClientId& id) const {
  std::vector<const ClientEntry*> found;
  const auto first = of_id_.find(id);
  if (!first) return found;
  for (std::uint32_t slot = *first; slot != UINT32_MAX; slot = clients_[slot].next_of_id) {
    found.push_back(&clients_[slot]);  // NOLINT(performance-inefficient-vector-operation)
  }
  return found;
}

std::size_t ClientTable::size_of(std::string_view stream, std::string_view output) const {
  const auto name = names_.find({std::string(stream), std::string(output)});
  if (name == names_.end()) return 0;
  const auto found = of_output_.find(&*name);
  return found == of_output_.end() ? 0 : found->second;
}

std::vector<ClientEntry> ClientTable::all() const {
  std::vector<ClientEntry> entries;
  entries.reserve(size_);
  order_.walk([&](const ClientEntry& client) { entries.push_back(client); });
  return entries;
}

ClientTable::Page ClientTable::page(std::string_view stream,
                                    const std::optional<ClientPosition>& after,
                                    std::size_t most) const {
  Page page;
  for (const OutputName& name : names_) {
    if (!names_output(stream, name.stream, name.output)) continue;
    if (after && name < after->name) continue;
    const bool goes_on = after && name == after->name;
    order_.walk_from(name, goes_on ? after->client : Endpoint{}, [&](const ClientEntry& client) {
      if (client.name != &name) return false;
      if (goes_on && client.route.to == after->client) return true;
      page.more = page.clients.size() == most;
      if (!page.more) page.clients.push_back(&client);
      return !page.more;
    });
    if (page.more) break;
  }
  return page;
}

ClientCounters ClientTable::counters(const ClientEntry& client) const {
  return runtime_ == nullptr ? ClientCounters{} : runtime_->client_counters(client.place);
}

Nanoseconds ClientTable::left_of(const ClientEntry& client, Instant now) const {
  if (client.lease.count() == 0) return Nanoseconds{0};
  return std::max(client.expires - clock_.at(now), Nanoseconds{0});
}

unsigned ClientTable::expire(Instant now) {
  const Instant at = clock_.at(now);
  unsigned gone = 0;
  for (unsigned looks = 0; looks < kLooksPerTurn; ++looks) {
    const auto slot = leases_.take(at);
    if (!slot) break;
    const ClientEntry& client = clients_[*slot];
    if (!client.present) continue;
    if (client.expires > at) {
      if (client.expires != kNever) leases_.put(*slot, client.expires);
    } else if (leave(client)) {
      ++gone;
    } else {
      leases_.put(*slot, at + kBusy);
    }
  }
  return gone;
}

void ClientTable::stand_still(Nanoseconds pause) {
  clock_.stand_still(pause);
  if (keeper_ != nullptr) keeper_->stood_still(pause);
}

}  // namespace castgate
