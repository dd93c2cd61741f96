// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace castgate {

// Counts spans of time in four buckets per power of two, from 64 ns to 17 s; percentiles are exact
// to 19 % (the widest bucket's half), the maximum to the nanosecond.
class SkewHistogram {
 public:
  void add(std::uint64_t ns) noexcept {
    ++buckets_[index(ns)];
    ++count_;
    max_ = std::max(max_, ns);
  }

  // `share` from 0 to 1. The middle of the bucket that holds it; 0 while nothing was counted.
  std::uint64_t percentile(double share) const noexcept {
    if (count_ == 0) return 0;
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(count_ - 1));
    std::uint64_t below = 0;
    for (unsigned i = 0; i < kBuckets; ++i) {
      below += buckets_[i];
      if (below > rank) return std::min(middle(i), max_);
    }
    return max_;
  }

  std::uint64_t max() const noexcept { return max_; }
  std::uint64_t count() const noexcept { return count_; }

 private:
  static constexpr unsigned kSmallestBits = 6;
  static constexpr unsigned kBuckets = 4 * 28 + 1;

  static unsigned index(std::uint64_t ns) noexcept {
    if (ns < (1u << kSmallestBits)) return 0;
    const auto bits = static_cast<unsigned>(std::bit_width(ns)) - 1;
    const auto quarter = static_cast<unsigned>(ns >> (bits - 2)) & 3;
    return std::min(1 + 4 * (bits - kSmallestBits) + quarter, kBuckets - 1);
  }

  static std::uint64_t middle(unsigned i) noexcept {
    if (i == 0) return 0;
    const unsigned bits = kSmallestBits + (i - 1) / 4;
    const std::uint64_t width = 1ull << (bits - 2);
    return (1ull << bits) + ((i - 1) % 4) * width + width / 2;
  }

  std::array<std::uint32_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace castgate
