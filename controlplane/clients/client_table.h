// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "controlplane/clients/admission.h"
#include "controlplane/clients/client_entry.h"
#include "controlplane/clients/client_sessions.h"
#include "controlplane/clients/demand.h"
#include "controlplane/clients/lease_clock.h"
#include "controlplane/clients/lease_queue.h"
#include "controlplane/clients/next_hops.h"
#include "controlplane/clients/slot_index.h"
#include "controlplane/clients/slot_order.h"
#include "controlplane/clients/way_review.h"
#include "dataplane/contract/runtime.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Told of what must outlive the process.
class ClientKeeper {
 public:
  ClientKeeper() = default;
  ClientKeeper(const ClientKeeper&) = delete;
  ClientKeeper& operator=(const ClientKeeper&) = delete;
  virtual ~ClientKeeper() = default;
  // A client that came, or whose lease is another; `left`: of the lease, 0 where it has none.
  virtual void keep(const ClientEntry& client, Nanoseconds left) = 0;
  virtual void forget(const ClientEntry& client) = 0;
  // Every lease ends so much later.
  virtual void stood_still(Nanoseconds pause) = 0;
};

// Who has joined which unicast output, behind every door. Each address and UDP port is once in an
// output. Called by the control thread alone.
class ClientTable {
 public:
  // `spec` is the one that runs, wherever it changes.
  explicit ClientTable(const Spec& spec)
      : spec_(spec), admission_(spec), next_hops_(spec), demand_(spec) {}
  ClientTable(const ClientTable&) = delete;
  ClientTable& operator=(const ClientTable&) = delete;

  // Null: nobody can join or leave. Before the first client.
  void set_runtime(Runtime* runtime) {
    runtime_ = runtime;
    admission_ = Admission(spec_);
  }
  void set_keeper(ClientKeeper* keeper) noexcept { keeper_ = keeper; }

  // How a client's packets would go, whether it is there or not.
  ClientResult<ClientRoute> way_to(const std::string& output, const Endpoint& client) const;

  struct Joined {
    const ClientEntry* client;
    bool is_new;
  };
  // A client that is there already stays as it is.
  ClientResult<Joined> join(const JoinOrder& order, Instant now);
  // A client of the run before, with what is left of its lease.
  ClientResult<Joined> restore(const JoinOrder& order, Nanoseconds left, Instant now);
  // Its lease begins anew. Expects a client of this table, as the next one.
  void renew(const ClientEntry& client, Nanoseconds lease, Instant now);
  // False where the worker is busy for the moment.
  bool leave(const ClientEntry& client);
  // A copy of who left, by output and address.
  ClientResult<ClientEntry> leave(const std::string& output, const Endpoint& client);

  // Null: none. What is found stays valid until it leaves.
  const ClientEntry* find(const std::string& output, const Endpoint& client) const;
  std::vector<const ClientEntry*> find(const ClientId& id) const;
  std::vector<const ClientEntry*> find(const Endpoint& client) const;

  std::size_t size() const noexcept { return size_; }
  std::size_t size_of(std::string_view stream, std::string_view output) const;
  // By stream, output and address.
  std::vector<ClientEntry> all() const;
  struct Page {
    std::vector<const ClientEntry*> clients;
    bool more = false;
  };
  // The first `most` of the outputs that `stream` names, behind a position; in the same order, and
  // at the cost of those alone.
  Page page(std::string_view stream, const std::optional<ClientPosition>& after,
            std::size_t most) const;
  ClientCounters counters(const ClientEntry& client) const;
  // Its own, made anew; null where its output seals for all clients together, or not at all.
  SharedClientKey key_for(const ClientEntry& client) const {
    return sessions_.key_of(slot_of(client), spec_, client.route);
  }
  // Of the lease; 0 where it has none.
  Nanoseconds left_of(const ClientEntry& client, Instant now) const;

  // Lets go whose lease has ended, some thousands at most. Returns how many.
  unsigned expire(Instant now);
  // The largest IP packet that goes to it whole.
  unsigned mtu_of(const ClientEntry& client) const;
  // Its way takes no larger ones, as far as is known until then.
  void set_mtu(const ClientEntry& client, std::uint16_t mtu, Instant until);
  // Returns how many ways are as wide as their ports again.
  unsigned forget_mtus(Instant now);
  // Until when its MTU holds that is not its port's.
  Instant mtu_until(const ClientEntry& client) const;
  // Valid until another's are asked for.
  PathReports& reports_of(const ClientEntry& client);
  // The control thread was away.
  void stand_still(Nanoseconds pause);

  // After a reload, with the spec that ran before: clients of outputs that did not change stay;
  // those of outputs that did join anew; others are gone. Returns how many are.
  unsigned follow(const Spec& before);

  // A route to these has changed; none: any may have.
  void routes_changed(const std::optional<IpPrefix>& to, Instant now) { review_.note(to, now); }
  // Once a millisecond: looks whose way is another since.
  void review_ways(Instant now) { review_.turn(clients_, next_hops_, now); }

  // By whom clients are reached, and whose clients are there.
  NextHops& next_hops() noexcept { return next_hops_; }
  Demand& demand() noexcept { return demand_; }
  const Demand& demand() const noexcept { return demand_; }

 private:
  struct Key {
    const OutputName* output;
    Endpoint client;
    bool operator==(const Key&) const = default;
    friend std::size_t hash_value(const Key& key) noexcept {
      std::size_t seed = boost::hash_value(key.output);
      boost::hash_combine(seed, key.client.address.bytes());
      boost::hash_combine(seed, key.client.udp_port);
      return seed;
    }
  };
  using Address = std::array<std::uint8_t, 16>;

  ClientResult<Joined> add(const JoinOrder& order, Nanoseconds left, Instant now);
  std::optional<ClientError> no_room(const JoinOrder& order, const ClientRoute& route) const;
  // The one in names_.
  const OutputName* name_of(const ClientRoute& route) const;
  static Key key_of(const ClientEntry& client) { return {client.name, client.route.to}; }
  static ClientId id_of(const ClientEntry& client) { return client.id; }
  std::uint32_t slot_of(const ClientEntry& client) const { return slots_.at(key_of(client)); }
  std::uint32_t take_slot();
  void remove(std::uint32_t slot);
  void link(std::uint32_t slot);
  void unlink(std::uint32_t slot);
  bool stays(const Spec& before, ClientEntry& client) const;
  bool joins_anew(ClientEntry& client);
  void tell_all();

  const Spec& spec_;
  Runtime* runtime_ = nullptr;
  ClientKeeper* keeper_ = nullptr;
  Admission admission_;
  NextHops next_hops_;
  Demand demand_;
  LeaseClock clock_;
  mutable std::set<OutputName> names_;
  mutable boost::unordered_flat_map<std::uint32_t, const OutputName*> named_;  // by their places
  std::deque<ClientEntry> clients_;                                            // by slot
  std::vector<std::uint32_t> free_;
  SlotIndex<&ClientTable::key_of> slots_{clients_};
  SlotIndex<&ClientTable::id_of> of_id_{clients_};  // the first of them
  SlotOrder order_{clients_};
  WayReview review_;
  ClientSessions sessions_;
  boost::unordered_flat_map<Address, std::uint32_t> of_address_;
  boost::unordered_flat_map<const OutputName*, std::uint32_t> of_output_;
  boost::unordered_flat_map<std::uint32_t, PathReports> reports_;  // by slot, where there are any
  LeaseQueue leases_;
  LeaseQueue narrow_;  // when to look at whose MTU
  std::size_t size_ = 0;
};

}  // namespace castgate
