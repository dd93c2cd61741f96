// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace castgate {

// What a stream that was configured anew keeps of what it was.
struct Inherited {
  static constexpr std::int8_t kNew = -1;

  std::array<std::int8_t, 8> leg{0, 1, 2, 3, 4, 5, 6, 7};  // by leg: which it was, or kNew
  bool numbers = true;  // positions are read as before, so those that left are known

  // The leg of this number, as it was; none where it is new.
  bool has(unsigned index) const noexcept { return leg[index] != kNew; }
  unsigned old(unsigned index) const noexcept { return static_cast<unsigned>(leg[index]); }
  // Which it is now; `legs` where it was taken out. `legs`: how many there are now.
  unsigned now(unsigned index, unsigned legs) const noexcept {
    unsigned found = 0;
    while (found < legs && leg[found] != static_cast<std::int8_t>(index)) ++found;
    return found;
  }
};

}  // namespace castgate
