// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/contract/spec.h"

namespace castgate {

// Workers of a stream's clients but the stream's own: the one at n has part n + 1 (fan_workers).
using FanHelpers = std::vector<std::uint8_t>;

// Who does what among `workers` workers.
struct Placement {
  std::vector<std::uint8_t> worker_of_stream;  // by stream index
  std::vector<std::uint8_t> owner_of_port;     // polls the port and owns its transmit queue 0
  std::vector<FanHelpers> helpers_of_stream;   // by stream index

  unsigned worker_of_part(std::size_t stream, unsigned part) const noexcept {
    return part == 0 ? worker_of_stream[stream] : helpers_of_stream[stream][part - 1];
  }
};

// Streams go, heaviest declared rate first, to the worker with the least so far; a port to the
// worker whose streams take most from it, so that most packets need no hand-over. Then the further
// parts of streams' clients go to the workers with the least.
Placement place(const Spec& spec, unsigned workers);

// Streams that were not `before` go to the worker with the least; all others, their clients' parts
// and the ports stay.
void place_new_streams(const Spec& before, const Spec& after, unsigned workers, Placement& placed);

}  // namespace castgate
