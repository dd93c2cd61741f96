// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "dataplane/contract/runtime.h"
#include "dataplane/replicate/client_roster.h"

namespace castgate {

// The clients of a replay, who come and go by its clock. Those that join at one moment do so in the
// order of the list; who leaves then goes first.
class ReplayClients {
 public:
  // The rules have seen to it that no more join than there is room for.
  ReplayClients(const Spec& spec, std::span<Port* const> ports,
                std::span<const ReplayClient> clients);

  const ClientRoster& roster() const noexcept { return roster_; }
  // When the next one comes or goes, after the first packet; max: none does.
  Nanoseconds next() const noexcept;
  Command take();
  // By client: of those that left as they left, of others as they are now.
  std::vector<ClientCounters> counters() const;

 private:
  struct Act {
    Nanoseconds after;
    std::size_t client;
    bool joins;
  };
  struct Client {
    ClientPlace place;
    bool is_there = false;
    ClientCounters counters;
  };

  std::span<const ReplayClient> plan_;
  ClientRoster roster_;
  std::vector<Act> acts_;
  std::size_t next_ = 0;
  std::vector<Client> clients_;
};

}  // namespace castgate
