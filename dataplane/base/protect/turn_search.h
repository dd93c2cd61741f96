// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace castgate {

// What to try of a number whose upper part, how often it has turned over, nobody tells. With each
// packet two: one of a search in order, and one that the packet decides by itself.
class TurnSearch {
 public:
  // 0; 0 1 2; 0 to 6; 0 to 14; ...: N comes within 3 N + 1 tries, if nobody uses any of them up.
  std::uint32_t next() noexcept {
    if (at_ == length_) {
      at_ = 0;
      length_ = length_ == kLongest ? 1 : 2 * length_ + 1;
    }
    return at_++;
  }

  // Of `draw`, 32 bits of the packet's tag, as good as random: what others send cannot change it.
  // N, less than 2^17, comes every 17 N tries or more often, about.
  static constexpr std::uint32_t drawn(std::uint32_t draw) noexcept {
    constexpr std::uint32_t kScales = 17;
    const std::uint32_t bits = 1 + draw % kScales;
    return draw / kScales & ((std::uint32_t{1} << bits) - 1);
  }

 private:
  static constexpr std::uint32_t kLongest = 0x7fffffff;

  std::uint32_t at_ = 0;
  std::uint32_t length_ = 1;
};

}  // namespace castgate
