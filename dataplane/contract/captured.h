// SPDX-License-Identifier: Apache-2.0
// A packet as a capture saw it at one stage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/base/instant.h"
#include "dataplane/contract/commands.h"
#include "dataplane/contract/drop_reason.h"

namespace castgate {

struct CapturedPacket {
  CaptureStage stage = CaptureStage::Rx;
  DropReason reason = DropReason::kCount;     // Drops: why
  std::uint16_t port = CaptureStart::kAny;    // Rx, Transmit, and Drops outside of streams
  std::uint16_t stream = CaptureStart::kAny;  // the other stages, and Drops of streams' packets
  std::uint32_t wire_length = 0;
  Instant at;                    // nanoseconds since 1970
  std::vector<std::byte> bytes;  // no more than snaplen
};

}  // namespace castgate
