// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace castgate {

// The lowest `count` bits.
constexpr std::uint64_t low_bits(std::uint64_t count) noexcept {
  return count >= 64 ? ~0ull : (1ull << count) - 1;
}

// As <<, by any number of bits.
constexpr std::uint64_t shifted(std::uint64_t bits, std::uint64_t by) noexcept {
  return by >= 64 ? 0 : bits << by;
}

// Ranges are sampled each 512th position: that is every so many packets, too.
inline std::uint64_t next_sample(std::uint64_t position) noexcept {
  return (position + 511) & ~511ull;
}

}  // namespace castgate
