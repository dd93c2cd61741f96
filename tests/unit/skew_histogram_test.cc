// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/failover/skew_histogram.h"

#include <gtest/gtest.h>

namespace castgate {
namespace {

TEST(SkewHistogramTest, each_span_lies_within_the_bounds_of_its_bucket) {
  for (std::uint64_t ns = 1; ns < 20'000'000'000; ns = ns * 9 / 8 + 1) {
    SkewHistogram skew;
    skew.add(ns);
    unsigned bucket = 0;
    while (skew.in_bucket(bucket) == 0) ++bucket;
    EXPECT_GE(ns, SkewHistogram::bounds(bucket)) << ns;
    if (bucket + 1 < SkewHistogram::kBuckets) {
      EXPECT_LT(ns, SkewHistogram::bounds(bucket + 1)) << ns;
    }
  }
}

TEST(SkewHistogramTest, difference_of_two_states_is_what_came_between) {
  SkewHistogram skew;
  skew.add(1'000, 5);
  const SkewHistogram earlier = skew;
  EXPECT_EQ(skew.since(earlier).count(), 0u);
  EXPECT_EQ(skew.since(earlier).max(), 0u);
  skew.add(50'000, 7);
  const SkewHistogram between = skew.since(earlier);
  EXPECT_EQ(between.count(), 7u);
  EXPECT_EQ(between.max(), 50'000u);
  EXPECT_NEAR(static_cast<double>(between.percentile(0.5)), 50'000, 50'000 * 0.19);
}

TEST(SkewHistogramTest, largest_of_a_difference_is_not_that_of_the_past) {
  SkewHistogram skew;
  skew.add(30'000'000);
  const SkewHistogram earlier = skew;
  skew.add(4'000'000);
  EXPECT_NEAR(static_cast<double>(skew.since(earlier).max()), 4e6, 4e6 * 0.19);
}

TEST(SkewHistogramTest, spans_beyond_the_last_bucket_are_counted_there) {
  SkewHistogram skew;
  skew.add(UINT64_MAX);
  EXPECT_EQ(skew.in_bucket(SkewHistogram::kBuckets - 1), 1u);
  EXPECT_EQ(skew.max(), UINT64_MAX);
}

}  // namespace
}  // namespace castgate
