// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace castgate {

// An operator's orders to one leg, the strongest first (ITU-T G.808.1).
enum class LegAction : std::uint8_t {
  Lockout,  // never used
  Forced,   // preferred, whatever its state
  Manual,   // preferred while it is well
  Clear     // none of these any more
};

}  // namespace castgate
