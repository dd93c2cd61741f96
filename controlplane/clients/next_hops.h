// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "controlplane/clients/hop_resolver.h"
#include "dataplane/contract/runtime.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// By which host each client is reached, and its MAC address: as the file says
// (ports.*.neighbours), else as the resolver does. A change is told to the workers for every client
// behind the host, a bounded portion a turn. Called by the control thread alone.
class NextHops {
 public:
  static constexpr unsigned kChangesPerTurn = 64;  // a quarter of a worker's ring of commands

  using Clients = std::vector<std::pair<ClientPlace, ClientRoute>>;

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

  // A client has joined, with route.next_hop as mac_for() gave it; it has left.
  void add(const ClientPlace& place, const ClientRoute& route);
  void remove(const ClientPlace& place);
  // After a reload: these and no others, at the places that they have now.
  void replace(const Clients& clients);

  void changed(const Hop& hop, std::optional<MacAddress> mac);
  // Once a millisecond: tells the workers what has changed.
  void turn(Runtime& runtime);

 private:
  using Key = std::uint64_t;  // of a place
  // Clients behind one host. Those before `told` have its MAC address as it is now.
  struct Way {
    std::optional<MacAddress> mac;
    bool is_static = false;
    bool queued = false;
    unsigned asked = 0;  // without a client it stays as long as it is not 0
    std::vector<Key> clients;
    std::size_t told = 0;
  };
  using Ways = std::map<Hop, Way>;
  struct Client {
    ClientRoute route;
    Ways::iterator way;
    std::uint32_t at = 0;  // in way->second.clients
  };

  static Key key_of(const ClientPlace& place) noexcept;
  static ClientPlace place_of(Key key) noexcept;
  std::optional<Hop> hop_for(const ClientRoute& route) const;
  std::optional<MacAddress> static_mac(const Hop& hop) const;
  Ways::iterator way_to(const Hop& hop);
  void leave(Ways::iterator way);
  void move(Way& way, std::size_t from, std::size_t to);
  void queue(Ways::iterator way);
  bool tell(Way& way, unsigned& budget, Runtime& runtime);

  const Spec& spec_;
  HopResolver* resolver_ = nullptr;
  Ways ways_;
  std::unordered_map<Key, Client> clients_;
  std::deque<Hop> queue_;  // ways with clients to be told
};

}  // namespace castgate
