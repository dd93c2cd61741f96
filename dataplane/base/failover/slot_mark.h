// SPDX-License-Identifier: Apache-2.0
// What a slot of the merge window holds where it holds no packet. Packets are aligned to four bytes
// at least, marks are not.
#pragma once

#include <cstdint>

namespace castgate {

// A position below next_out that was given up.
inline void* given_up_mark(std::uint64_t position) noexcept {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a mark, never followed.
  return reinterpret_cast<void*>(position << 1 | 1);
}

// One of a packet's second and further positions: names its first.
inline void* covered_mark(std::uint64_t first) noexcept {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a mark, never followed.
  return reinterpret_cast<void*>(first << 2 | 2);
}

inline bool is_covered(const void* value) noexcept {
  return (reinterpret_cast<std::uintptr_t>(value) & 3) == 2;
}

inline std::uint64_t first_covering(const void* mark) noexcept {
  return reinterpret_cast<std::uintptr_t>(mark) >> 2;
}

inline bool is_packet(const void* value) noexcept {
  return value != nullptr && (reinterpret_cast<std::uintptr_t>(value) & 3) == 0;
}

}  // namespace castgate
