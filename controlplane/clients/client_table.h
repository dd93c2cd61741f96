// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/base/error.h"
#include "dataplane/base/instant.h"
#include "dataplane/contract/runtime.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// A client as its unicast output knows it.
struct ClientEntry {
  std::string id;      // of this run
  std::string stream;  // names, which stay when places change
  std::string output;
  ClientRoute route;
  ClientPlace place;
  Instant since;
};

// Who has joined which unicast output, behind every door. Each address and UDP port is once in an
// output. Called by the control thread alone.
class ClientTable {
 public:
  // `spec` is the one that runs, wherever it changes.
  explicit ClientTable(const Spec& spec) : spec_(spec) {}

  // Null: nobody can join or leave.
  void set_runtime(Runtime* runtime) noexcept { runtime_ = runtime; }

  // `output`: "news1.homes", or "news1" where it has one unicast output. A client that is there
  // already stays as it is. An error: an unknown name, no way to be sent to, or no place left.
  Result<const ClientEntry*> join(const std::string& output, const Endpoint& client, Instant now);
  Result<ClientEntry> leave(const std::string& output, const Endpoint& client);

  std::size_t size() const noexcept { return clients_.size(); }
  // By stream, output and address.
  std::vector<ClientEntry> all() const;
  ClientCounters counters(const ClientEntry& client) const;

  // After a reload, with the spec that ran before: clients of outputs that did not change stay;
  // those of outputs that did join anew; others are gone. Returns how many are.
  unsigned follow(const Spec& before);

 private:
  using Key = std::pair<std::string, Endpoint>;  // "stream.output", the client

  Result<ClientRoute> way_to(const std::string& output, const Endpoint& client) const;
  bool stays(const Spec& before, ClientEntry& client) const;

  const Spec& spec_;
  Runtime* runtime_ = nullptr;
  std::map<Key, ClientEntry> clients_;
  std::uint64_t joined_ = 0;  // since start
};

}  // namespace castgate
