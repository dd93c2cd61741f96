// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace castgate {

inline constexpr std::uint64_t kSrtpIndexes = std::uint64_t{1} << 48;  // per key and SSRC

// The index of sequence number `sequence`, roll-overs in its upper bits, nearest to `highest`, the
// highest so far (RFC 3711 3.3.1, the tie as there). At least kSrtpIndexes where it lies before the
// first or behind the last one.
constexpr std::uint64_t nearest_srtp_index(std::uint64_t highest, std::uint16_t sequence) noexcept {
  constexpr std::int32_t kHalf = 0x8000;
  const auto known = static_cast<std::int32_t>(highest & 0xffff);
  const auto told = static_cast<std::int32_t>(sequence);
  std::uint64_t turns = highest >> 16;
  if (known < kHalf) {
    if (told - known > kHalf) --turns;
  } else if (known - kHalf > told) {
    ++turns;
  }
  return turns << 16 | sequence;
}

}  // namespace castgate
