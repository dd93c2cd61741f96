// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "dataplane/base/instant.h"

namespace castgate {

// The part of the same name in the earlier snapshot, or one that counted nothing.
template <class Part>
Part earlier(const std::vector<Part>& before, const std::string& name) {
  const auto found = std::ranges::find(before, name, &Part::name);
  return found == before.end() ? Part{} : *found;
}

// Differences of counters per second, as a person reads them. One that counts from zero again is
// told from zero on.
class Rate {
 public:
  // `between` is positive.
  explicit Rate(Nanoseconds between) : seconds_(std::chrono::duration<double>(between).count()) {}

  std::string packets(std::uint64_t before, std::uint64_t after) const {
    return fmt::format("{:.0f}", per_second(before, after));
  }
  std::string megabits(std::uint64_t before, std::uint64_t after) const {
    constexpr double kMegabitsPerByte = 8e-6;
    return fmt::format("{:.2f}", per_second(before, after) * kMegabitsPerByte);
  }

 private:
  double per_second(std::uint64_t before, std::uint64_t after) const {
    const std::uint64_t grown = after >= before ? after - before : after;
    return static_cast<double>(grown) / seconds_;
  }

  double seconds_;
};

}  // namespace castgate
