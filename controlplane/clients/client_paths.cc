// SPDX-License-Identifier: Apache-2.0
// What is known of the ways to clients.
#include <algorithm>

#include "controlplane/clients/client_table.h"

namespace castgate {

std::vector<const ClientEntry*> ClientTable::find(const Endpoint& client) const {
  std::vector<const ClientEntry*> found;
  for (const OutputName& output : names_) {
    if (const auto slot = slots_.find({&output, client})) found.push_back(&clients_[*slot]);
  }
  return found;
}

unsigned ClientTable::mtu_of(const ClientEntry& client) const {
  const UnicastSpec& unicast = spec_.streams[client.route.stream].unicasts[client.route.unicast];
  const unsigned port = spec_.ports[unicast.port].mtu;
  return client.route.mtu == 0 ? port : std::min<unsigned>(client.route.mtu, port);
}

void ClientTable::set_mtu(const ClientEntry& client, std::uint16_t mtu, Instant until) {
  const std::uint32_t slot = slot_of(client);
  ClientEntry& own = clients_[slot];
  reports_[slot].mtu_until = until;
  narrow_.put(slot, until);
  if (own.route.mtu == mtu) return;
  own.route.mtu = mtu;
  next_hops_.tell_again(own);
}

unsigned ClientTable::forget_mtus(Instant now) {
  unsigned forgotten = 0;
  while (const auto slot = narrow_.take(now)) {
    ClientEntry& client = clients_[*slot];
    if (!client.present || client.route.mtu == 0) continue;
    const Instant until = reports_[*slot].mtu_until;
    if (until > now) {  // it was told again
      narrow_.put(*slot, until);
      continue;
    }
    client.route.mtu = 0;
    next_hops_.tell_again(client);
    ++forgotten;
  }
  return forgotten;
}

Instant ClientTable::mtu_until(const ClientEntry& client) const {
  const auto found = reports_.find(slot_of(client));
  return found == reports_.end() ? Instant{} : found->second.mtu_until;
}

PathReports& ClientTable::reports_of(const ClientEntry& client) {
  return reports_[slot_of(client)];
}

}  // namespace castgate
