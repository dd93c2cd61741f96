// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace castgate {

// What is added to a leg's numbers to give the stream's: a known number of positions, or one that
// is learnt from the payloads.
struct LegOffset {
  bool automatic = false;
  std::int64_t positions = 0;

  bool is_none() const noexcept { return !automatic && positions == 0; }
  bool operator==(const LegOffset&) const = default;
};

}  // namespace castgate
