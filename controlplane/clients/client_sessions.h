// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>

#include "controlplane/keys/client_keys.h"
#include "dataplane/contract/clients.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Of clients who have keys of their own, what these are made of: no key is kept here. Each time
// that one joins, after a start or a reload as well, it is another.
class ClientSessions {
 public:
  struct Begun {
    ClientSession session;
    SharedClientKey key;
  };
  // None: the output does not isolate its clients.
  static std::optional<Begun> begin(const Spec& spec, const ClientRoute& route) {
    if (!protect_of(spec, route).is_isolated()) return std::nullopt;
    const ClientSession session = new_client_session();
    return Begun{session, make(spec, route, session)};
  }

  // `slot`: in the table.
  void keep(std::uint32_t slot, const std::optional<Begun>& begun) {
    if (begun) sessions_.insert_or_assign(slot, begun->session);
  }
  void forget(std::uint32_t slot) { sessions_.erase(slot); }
  // Null: it has none.
  SharedClientKey key_of(std::uint32_t slot, const Spec& spec, const ClientRoute& route) const {
    const auto found = sessions_.find(slot);
    if (found == sessions_.end() || !protect_of(spec, route).is_isolated()) return nullptr;
    return make(spec, route, found->second);
  }

 private:
  static const ProtectSpec& protect_of(const Spec& spec, const ClientRoute& route) {
    return spec.streams[route.stream].unicasts[route.unicast].protect;
  }
  static SharedClientKey make(const Spec& spec, const ClientRoute& route,
                              const ClientSession& session) {
    return client_key(protect_of(spec, route), spec.streams[route.stream].name, route.to, session);
  }

  boost::unordered_flat_map<std::uint32_t, ClientSession> sessions_;
};

}  // namespace castgate
