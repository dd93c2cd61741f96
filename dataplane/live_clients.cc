// SPDX-License-Identifier: Apache-2.0
// Clients of a running data plane: the control thread's side.
#include "dataplane/live_runtime.h"

namespace castgate {

Result<ClientPlace> LiveRuntime::join(const ClientRoute& route, const ClientKey* key) {
  const unsigned part = clients_->next_part(route);
  Worker& worker = worker_of(route.stream, part);
  if (drained_ || worker.commands().full()) return fail("the worker is busy; try again");
  auto command = clients_->join(route, key, part, worker.commands_done());
  if (!command) return std::unexpected(command.error());
  worker.commands().put(*command);
  return command->client.place;
}

bool LiveRuntime::leave(const ClientPlace& place) {
  Worker& worker = worker_of(place);
  if (drained_ || worker.commands().full()) return false;
  worker.commands().put(clients_->leave(place, worker.commands().put_so_far() + 1));
  return true;
}

bool LiveRuntime::change(const ClientPlace& place, const ClientRoute& route) {
  return !drained_ && worker_of(place).commands().put(clients_->change(place, route));
}

ClientCounters LiveRuntime::client_counters(const ClientPlace& place) const {
  return clients_->counters(place);
}

std::optional<SentPacket> LiveRuntime::find_sent(const ClientPlace& place,
                                                 const QuotedPacket& quote) const {
  return clients_->find_sent(place, quote, clock_->now());
}

}  // namespace castgate
