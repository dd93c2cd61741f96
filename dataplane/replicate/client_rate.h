// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/base/instant.h"

namespace castgate {

// The most that one client of an output gets: so many bits a second, what was not used in the last
// 100 ms included. Each client keeps until when it has used its rate up.
class ClientRate {
 public:
  static constexpr Nanoseconds kOver{100'000'000};

  ClientRate() = default;
  // 0: no limit.
  explicit ClientRate(std::uint64_t bits_per_second) noexcept
      : ns_per_byte_(bits_per_second == 0 ? 0 : (8'000'000'000ull << kShift) / bits_per_second) {}

  bool limits() const noexcept { return ns_per_byte_ != 0; }

  // False: not now. A packet is let go while there is anything left, however long it is.
  bool take(std::int64_t& used_until, Instant now, std::uint32_t bytes) const noexcept {
    const std::int64_t from = std::max(used_until, now.ns - kOver.count());
    if (from > now.ns) return false;
    used_until = from + static_cast<std::int64_t>(bytes * ns_per_byte_ >> kShift);
    return true;
  }

  bool operator==(const ClientRate&) const = default;

 private:
  static constexpr unsigned kShift = 16;

  std::uint64_t ns_per_byte_ = 0;  // times 2^kShift
};

}  // namespace castgate
