// SPDX-License-Identifier: Apache-2.0
#include "dataplane/contract/spec.h"

#include <algorithm>
#include <bit>

namespace castgate {

Nanoseconds longest_hold(const FailoverSpec& failover) noexcept {
  if (failover.release != Release::Playout) return failover.max_skew;
  return std::max(failover.max_skew, failover.playout_delay);
}

std::uint64_t window_positions(const FailoverSpec& failover) noexcept {
  constexpr std::uint64_t kSmallest = 256;  // legs may always differ by 64 packets
  constexpr double kNanosecondsPerSecond = 1e9;
  const double in_flight = static_cast<double>(failover.max_rate_pps) *
                           static_cast<double>(longest_hold(failover).count()) /
                           kNanosecondsPerSecond;
  constexpr double kLargest = 1ull << 40;
  const auto wanted = static_cast<std::uint64_t>(std::min(2 * in_flight, kLargest));
  return std::bit_ceil(std::max(wanted, kSmallest));
}

}  // namespace castgate
