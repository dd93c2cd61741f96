// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/contract/spec.h"

namespace castgate {

// Who does what among `workers` workers.
struct Placement {
  std::vector<std::uint8_t> worker_of_stream;  // by stream index
  std::vector<std::uint8_t> owner_of_port;     // polls the port and owns its transmit queue 0
};

// Streams go, heaviest declared rate first, to the worker with the least so far; a port to the
// worker whose streams take most from it, so that most packets need no hand-over.
Placement place(const Spec& spec, unsigned workers);

// Streams that were not `before` go to the worker with the least; all others, and the ports, stay.
void place_new_streams(const Spec& before, const Spec& after, unsigned workers, Placement& placed);

}  // namespace castgate
