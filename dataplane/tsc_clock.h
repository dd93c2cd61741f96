// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rte_cycles.h>

#include "dataplane/base/instant.h"

namespace castgate {

__extension__ using Uint128 = unsigned __int128;

// The time stamp counter in nanoseconds since the clock was made; 22 to 35 cycles per reading, so
// once per turn of a loop. Copies agree with each other on every core (invariant TSC).
class TscClock {
 public:
  TscClock()
      : begin_(rte_rdtsc()),
        ns_per_tick_(static_cast<std::uint64_t>((static_cast<Uint128>(1'000'000'000) << kShift) /
                                                rte_get_tsc_hz())) {}

  Instant now() const noexcept {
    const auto ticks = static_cast<Uint128>(rte_rdtsc() - begin_);
    return {1 + static_cast<std::int64_t>(ticks * ns_per_tick_ >> kShift)};
  }

 private:
  static constexpr unsigned kShift = 32;

  std::uint64_t begin_;
  std::uint64_t ns_per_tick_;  // in units of 2^-kShift
};

}  // namespace castgate
