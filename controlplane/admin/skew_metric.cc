// SPDX-License-Identifier: Apache-2.0
#include "controlplane/admin/skew_metric.h"

#include <bit>

namespace castgate {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;
constexpr std::uint64_t kFirstBound = std::uint64_t{1} << 10;
constexpr std::uint64_t kLastBound = std::uint64_t{1} << 30;

double seconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / kNanosecondsPerSecond;
}

}  // namespace

prometheus::ClientMetric::Histogram skew_metric(const SkewHistogram& skew) {
  prometheus::ClientMetric::Histogram made;
  for (unsigned i = 0; i < SkewHistogram::kBuckets; ++i) {
    const std::uint64_t from = SkewHistogram::bounds(i);
    const std::uint64_t below = SkewHistogram::bounds(i + 1);
    const std::uint32_t count = skew.in_bucket(i);
    made.sample_count += count;
    // The first leg's own skew is 0, not the first bucket's middle.
    if (i != 0) made.sample_sum += count * seconds(from + (below - from) / 2);
    if (std::has_single_bit(below) && below >= kFirstBound && below <= kLastBound)
      made.bucket.push_back({made.sample_count, seconds(below)});
  }
  return made;
}

}  // namespace castgate
