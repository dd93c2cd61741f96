// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace castgate {

using Nanoseconds = std::chrono::nanoseconds;

// A moment, in nanoseconds from an origin nobody needs to know. Always an argument: live it comes
// from the TSC, in replay from the capture.
struct Instant {
  std::int64_t ns = 0;
  auto operator<=>(const Instant&) const = default;
};

inline constexpr Instant kNever{INT64_MAX};

constexpr Instant operator+(Instant at, Nanoseconds span) noexcept {
  return {at.ns + span.count()};
}
constexpr Instant operator-(Instant at, Nanoseconds span) noexcept {
  return {at.ns - span.count()};
}
constexpr Nanoseconds operator-(Instant later, Instant earlier) noexcept {
  return Nanoseconds{later.ns - earlier.ns};
}

}  // namespace castgate
