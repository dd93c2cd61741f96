// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "dataplane/packet_ring.h"
#include "dataplane/worker.h"

namespace castgate {

// Ends workers so that nothing is stranded between two of them: reception ends everywhere, then
// what is held leaves, then the rings `between` them run dry. `left` says whether a worker's thread
// is out of run(). Blocks, but under a second: a worker that is stuck does not hold up the others.
void end_together(std::span<const std::unique_ptr<Worker>> workers,
                  std::span<PacketRing* const> between, const std::function<bool(unsigned)>& left);

}  // namespace castgate
