// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "dataplane/base/instant.h"

namespace castgate {

// What a bad path does to packets. Probabilities are per packet, 0 to 1.
struct FaultModel {
  std::uint64_t seed = 1;
  double loss = 0;         // independent
  double burst_enter = 0;  // Gilbert-Elliott: good to bad …
  double burst_leave = 1;  // … and back; the mean burst is 1 / burst_leave packets
  double burst_loss = 1;   // loss within a burst
  double duplicate = 0;
  double reorder = 0;
  unsigned reorder_depth = 3;           // a reordered packet comes after 1 to so many later ones
  Nanoseconds reorder_wait{5'000'000};  // or after so long, where no later ones come
  Nanoseconds delay{0};                 // every packet
  Nanoseconds jitter{0};                // and evenly spread up to so much more
};

// Numbers that are the same for one seed on every machine and compiler (splitmix64).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t roll() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  double fraction() noexcept { return static_cast<double>(roll() >> 11) * 0x1p-53; }
  bool chance(double probability) noexcept { return fraction() < probability; }

 private:
  std::uint64_t state_;
};

}  // namespace castgate
