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
  static constexpr unsigned kBuckets = 4 * 28 + 1;

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

  // What was counted since `earlier`, which is a former state of this one. Its largest is exact
  // where it lies in the bucket of the largest ever, else that of its bucket's middle.
  SkewHistogram since(const SkewHistogram& earlier) const noexcept {
    SkewHistogram made;
    unsigned top = kBuckets;
    for (unsigned i = 0; i < kBuckets; ++i) {
      made.buckets_[i] = buckets_[i] - earlier.buckets_[i];
      made.count_ += made.buckets_[i];
      if (made.buckets_[i] != 0) top = i;
    }
    if (top != kBuckets) made.max_ = top == index(max_) ? max_ : middle(top);
    return made;
  }

  std::uint32_t in_bucket(unsigned i) const noexcept { return buckets_[i]; }
  // Bucket i holds what is from bounds(i) on and below bounds(i + 1); the last has no upper one.
  static std::uint64_t bounds(unsigned i) noexcept {
    if (i == 0) return 0;
    const unsigned bits = kSmallestBits + (i - 1) / 4;
    return (1ull << bits) + ((i - 1) % 4) * (1ull << (bits - 2));
  }
  // Counts `count` more in the bucket of `ns`; the largest is at least `ns`. For what was told.
  void add(std::uint64_t ns, std::uint32_t count) noexcept {
    buckets_[index(ns)] += count;
    count_ += count;
    note_max(ns);
  }
  void note_max(std::uint64_t ns) noexcept { max_ = std::max(max_, ns); }

  std::uint64_t max() const noexcept { return max_; }
  std::uint64_t count() const noexcept { return count_; }

 private:
  static constexpr unsigned kSmallestBits = 6;

  static unsigned index(std::uint64_t ns) noexcept {
    if (ns < (1u << kSmallestBits)) return 0;
    const auto bits = static_cast<unsigned>(std::bit_width(ns)) - 1;
    const auto quarter = static_cast<unsigned>(ns >> (bits - 2)) & 3;
    return std::min(1 + 4 * (bits - kSmallestBits) + quarter, kBuckets - 1);
  }

  static std::uint64_t middle(unsigned i) noexcept {
    return i == 0 ? 0 : (bounds(i) + bounds(i + 1)) / 2;
  }

  std::array<std::uint32_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace castgate
