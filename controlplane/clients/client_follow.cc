// SPDX-License-Identifier: Apache-2.0
// Clients over a reload.
#include <algorithm>

#include "controlplane/clients/client_route.h"
#include "controlplane/clients/client_table.h"
#include "dataplane/contract/client_carry.h"

namespace castgate {

// Is the client's output what it was? Its place among the stream's outputs may be another.
bool ClientTable::stays(const Spec& before, ClientEntry& client) const {
  const UnicastSpec& was = before.streams[client.route.stream].unicasts[client.route.unicast];
  if (client.route.stream >= spec_.streams.size()) return false;
  const StreamSpec& stream = spec_.streams[client.route.stream];
  const auto now = std::ranges::find_if(
      stream.unicasts, [&](const UnicastSpec& output) { return keeps_clients(was, output); });
  if (stream.name != client.name->stream || now == stream.unicasts.end()) return false;
  const auto unicast = static_cast<std::uint16_t>(now - stream.unicasts.begin());
  client.route.unicast = unicast;
  client.place.unicast = unicast;
  return true;
}

bool ClientTable::joins_anew(ClientEntry& client) {
  auto route = way_to(client.name->stream + "." + client.name->output, client.route.to);
  if (!route || !admission_.may_join(spec_, *route)) return false;
  route->mtu = client.route.mtu;
  const auto begun = ClientSessions::begin(spec_, *route);
  const auto place = runtime_->join(*route, begun ? begun->key.get() : nullptr);
  if (!place) return false;
  const std::uint32_t slot = slot_of(client);
  sessions_.forget(slot);
  sessions_.keep(slot, begun);
  client.route = *route;
  client.place = *place;
  return true;
}

unsigned ClientTable::follow(const Spec& before) {
  named_.clear();
  admission_ = Admission(spec_);
  unsigned gone = 0;
  for (std::uint32_t slot = 0; slot < clients_.size(); ++slot) {
    ClientEntry& client = clients_[slot];
    if (!client.present) continue;
    if (stays(before, client) || joins_anew(client)) {
      admission_.joined(spec_, client.route);
    } else {
      remove(slot);
      ++gone;
    }
  }
  tell_all();
  return gone;
}

// Places are others after a reload.
void ClientTable::tell_all() {
  std::vector<ClientEntry*> all;
  all.reserve(size_);
  demand_.forget_clients();
  for (ClientEntry& client : clients_) {
    if (!client.present) continue;
    all.push_back(&client);
    demand_.add(client.place.stream);
  }
  next_hops_.replace(all);
}

}  // namespace castgate
