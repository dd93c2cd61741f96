// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/clients/client_id.h"
#include "controlplane/clients/client_table.h"
#include "dataplane/contract/door_counters.h"

namespace castgate {

// Joins that wait until their address has proved itself: whoever receives there brings back the
// nonce that was sent there. Nothing else is kept of them, and at most kMost wait at a time.
class Proofs {
 public:
  static constexpr std::size_t kMost = 4'096;
  static constexpr Nanoseconds kPatience = std::chrono::seconds(10);
  static constexpr Nanoseconds kAgain = std::chrono::seconds(1);
  static constexpr Nanoseconds kUnresolved = std::chrono::milliseconds(100);
  static constexpr unsigned kSendings = 3;

  // Sends a proof's payload to where the client is to be; false where it cannot now, since the way
  // there is not known yet: it is tried again soon.
  using Sender = std::function<bool(const JoinOrder& order, std::string_view payload)>;

  Proofs(Sender sender, DoorCounters& counters) : sender_(std::move(sender)), counters_(counters) {}

  struct Waiting {
    JoinOrder order;
    IpAddress peer;  // who asked: nobody else is told the id
    ClientId id;
    ClientId nonce;
    Instant ends;
    Instant again;
    unsigned sent = 0;
  };

  // Null: too many wait. The same peer for the same output, address and port gets the same proof.
  // What is given stays valid until the next call.
  const Waiting* ask(JoinOrder order, const IpAddress& peer, Instant now);
  const Waiting* find(const ClientId& id) const;
  // What was asked for, where the nonce is the one. It waits no longer then.
  std::optional<JoinOrder> prove(const ClientId& id, std::string_view nonce);
  void forget(const ClientId& id) { waiting_.erase(id); }
  // Sends again, and forgets whose time is up. Every 100 ms or so.
  void turn(Instant now);
  std::size_t size() const noexcept { return waiting_.size(); }

 private:
  void send(Waiting& waiting, Instant now);

  Sender sender_;
  DoorCounters& counters_;
  boost::unordered_flat_map<ClientId, Waiting> waiting_;
};

}  // namespace castgate
