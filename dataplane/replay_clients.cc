// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replay_clients.h"

#include <algorithm>
#include <utility>

namespace castgate {

ReplayClients::ReplayClients(const Spec& spec, std::span<Port* const> ports,
                             std::span<const ReplayClient> clients)
    : plan_(clients), roster_(spec, ports), clients_(clients.size()) {
  for (std::size_t c = 0; c < clients.size(); ++c) {
    acts_.push_back({clients[c].join_at, c, true});
    if (clients[c].leave_at == Nanoseconds::max()) continue;
    acts_.push_back({clients[c].leave_at, c, false});
  }
  std::ranges::stable_sort(acts_, {},
                           [](const Act& act) { return std::pair(act.after, act.joins); });
}

Nanoseconds ReplayClients::next() const noexcept {
  return next_ == acts_.size() ? Nanoseconds::max() : acts_[next_].after;
}

Command ReplayClients::take() {
  const Act& act = acts_[next_++];
  Client& client = clients_[act.client];
  if (!act.joins) {
    client.counters = roster_.counters(client.place);
    client.is_there = false;
    return roster_.leave(client.place, 0);
  }
  const ReplayClient& joins = plan_[act.client];
  const auto joined =
      roster_.join(joins.route, joins.key.get(), roster_.next_part(joins.route), UINT64_MAX);
  CG_CHECK(joined.has_value());
  client.place = joined->client.place;
  client.is_there = true;
  return *joined;
}

std::vector<ClientCounters> ReplayClients::counters() const {
  std::vector<ClientCounters> all;
  all.reserve(clients_.size());
  for (const Client& client : clients_) {
    all.push_back(client.is_there ? roster_.counters(client.place) : client.counters);
  }
  return all;
}

}  // namespace castgate
