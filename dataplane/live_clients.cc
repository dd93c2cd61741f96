// SPDX-License-Identifier: Apache-2.0
// Clients of a running data plane: the control thread's side.
#include <chrono>
#include <thread>

#include "dataplane/live_runtime.h"

namespace castgate {

// A worker takes a few commands a turn: who gives it many at once waits for it, for at most 2 ms.
bool LiveRuntime::takes_commands(Worker& worker) const {
  constexpr unsigned kMostWaits = 20;
  for (unsigned n = 0; !drained_ && worker.commands().full(); ++n) {
    if (n == kMostWaits) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return !drained_;
}

Result<ClientPlace> LiveRuntime::join(const ClientRoute& route, const ClientKey* key) {
  const unsigned part = clients_->next_part(route);
  Worker& worker = worker_of(route.stream, part);
  if (!takes_commands(worker)) return fail("the worker is busy; try again");
  auto command = clients_->join(route, key, part, worker.commands_done());
  if (!command) return std::unexpected(command.error());
  worker.commands().put(*command);
  return command->client.place;
}

bool LiveRuntime::leave(const ClientPlace& place) {
  Worker& worker = worker_of(place);
  if (!takes_commands(worker)) return false;
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
