// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/base/instant.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Which streams anybody wants: those with join: always, and of those with join: on_demand the ones
// with a client, until `linger` after the last one left. Called by the control thread alone.
class Demand {
 public:
  // `spec` is the one that runs, wherever it changes.
  explicit Demand(const Spec& spec) : spec_(spec) {}

  // A client of the stream, by its place in Spec::streams, has joined or left.
  void add(std::size_t stream);
  void remove(std::size_t stream);
  // Before all clients are added again: after a reload.
  void forget_clients();

  // Once a millisecond. True where wanted() has another answer for some stream than before.
  bool turn(Instant now);
  bool wanted(std::size_t stream) const;

 private:
  struct Stream {
    std::uint32_t clients = 0;
    bool wanted = false;
    Instant until = kNever;  // wanted, though nobody is there
  };

  void fit();

  const Spec& spec_;
  std::vector<Stream> streams_;
  bool changed_ = true;   // since the last turn: clients, or the spec
  Instant due_ = kNever;  // the first `until`
};

}  // namespace castgate
