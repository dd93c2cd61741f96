// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace castgate {

// Where a packet says that it stands in its stream.
struct Located {
  static constexpr std::uint16_t kEnd = 0xffff;  // in `count`: no position, and none will follow

  std::uint64_t raw;        // low bits of its first position; of the next one where it has none
  std::uint32_t epoch;      // SSRC, session
  std::uint16_t count = 1;  // positions from there on; 0: a heartbeat
};

}  // namespace castgate
