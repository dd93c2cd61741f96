// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "controlplane/clients/client_entry.h"
#include "controlplane/clients/hop_resolver.h"
#include "dataplane/contract/runtime.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Clients behind one host. Those before `told` have its MAC address as it is now.
struct ClientsOfHop {
  const Hop* hop = nullptr;
  std::optional<MacAddress> mac;
  bool is_static = false;
  bool queued = false;
  bool awaited = false;    // by clients that keep another's MAC address until its own is known
  std::uint8_t asked = 0;  // without a client it stays as long as it is not 0
  std::uint32_t told = 0;
  std::vector<ClientEntry*> clients;
};

// By which host each client is reached, and its MAC address: as the file says
// (ports.*.neighbours), else as the resolver does. A change is told to the workers for every client
// behind the host, a bounded portion a turn. Called by the control thread alone.
class NextHops {
 public:
  static constexpr unsigned kChangesPerTurn = 64;  // a quarter of a worker's ring of commands
  // Turns for which clients keep the host by which they were reached, where that of a new route is
  // not found: some 3 s.
  static constexpr unsigned kTurnsOfGrace = 3000;

  explicit NextHops(const Spec& spec) : spec_(spec) {}

  // Null: what is known stays as it is.
  void set_resolver(HopResolver* resolver);

  // For a client that is about to join.
  std::optional<MacAddress> mac_for(const ClientRoute& route) const;
  // The same for one that may join soon: it is asked for from here on, until forget_asked() was
  // called twice without anybody asking again.
  std::optional<MacAddress> ask(const ClientRoute& route);
  void forget_asked();
  // None: the MAC address may come yet; else why it never will, and the cure.
  std::optional<std::string> why_never(const ClientRoute& route) const;

  // A client has joined, with route.next_hop as mac_for() gave it, and stays where it is; it has
  // left. The MAC address in its route is from here on the one that the workers were told.
  void add(ClientEntry& client);
  void remove(ClientEntry& client);
  // Routes have changed: is it still reached by that host? Where another has its packets from here
  // on, they go to the one before until the other's MAC address is known. True where somebody had
  // to be asked.
  bool review(ClientEntry& client);
  // Its route has become another.
  void tell_again(ClientEntry& client);
  // After a reload: these and no others, at the places that they have now.
  void replace(std::span<ClientEntry* const> clients);

  void changed(const Hop& hop, std::optional<MacAddress> mac);
  // Once a millisecond: tells the workers what has changed.
  void turn(Runtime& runtime);

 private:
  using Way = ClientsOfHop;

  // No network of the file has it, so others' routes count.
  bool follows_routes(const ClientRoute& route) const;
  std::optional<Hop> hop_for(const ClientRoute& route) const;
  std::optional<MacAddress> static_mac(const Hop& hop) const;
  Way& way_to(const Hop& hop);
  void leave(Way& way);
  void leave_idle();
  void move(ClientEntry& client, const Hop& hop);
  void end_grace();
  static void put(Way& way, std::size_t at, ClientEntry* client);
  void queue(Way& way);
  bool tell(Way& way, unsigned& budget, Runtime& runtime);

  const Spec& spec_;
  HopResolver* resolver_ = nullptr;
  std::map<Hop, Way> ways_;
  std::deque<Hop> queue_;                              // ways with clients to be told
  std::deque<std::pair<std::uint64_t, Hop>> awaited_;  // until which turn
  std::uint64_t turns_ = 0;
};

}  // namespace castgate
