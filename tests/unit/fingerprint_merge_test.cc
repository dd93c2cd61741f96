// SPDX-License-Identifier: Apache-2.0
// Feeds without numbers: what any leg delivered comes out once, in the source's order.
#include "dataplane/base/fingerprint/fingerprint_merge.h"

#include "tests/support/fingerprint_lab.h"

namespace castgate {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using test::Feed;
using test::feed_of;
using test::FeedPath;
using test::FingerprintLab;
using test::seeded;

MergeConfig config(MergeRelease release, unsigned legs = 2) {
  return {.release = release, .window = 1024, .max_skew = milliseconds{10}, .legs = legs};
}

class FingerprintMergeTest : public testing::TestWithParam<std::tuple<double, int, bool>> {};

TEST_P(FingerprintMergeTest, residual_is_what_both_legs_lost) {
  const auto [loss, skew_us, second_leads] = GetParam();
  FingerprintLab lab(config(MergeRelease::Ordered));
  std::vector<FeedPath> paths{{.loses = seeded(loss, 1)}, {.loses = seeded(loss, 2)}};
  paths[second_leads ? 0 : 1].delay = microseconds{skew_us};
  lab.run(feed_of(100'000, 0.05, 3), paths);
  lab.finish();
  lab.expect_in_order();
  EXPECT_LE(lab.longest_stay(), milliseconds{10});
}

INSTANTIATE_TEST_SUITE_P(losses_and_skews, FingerprintMergeTest,
                         testing::Combine(testing::Values(0, 1e-3, 1e-2),
                                          testing::Values(0, 300, 4200, 10'000), testing::Bool()));

TEST(FingerprintMerge, arrival_forwards_each_payload_once) {
  for (const double loss : {0.0, 1e-3, 1e-2}) {
    FingerprintLab lab(config(MergeRelease::Arrival));
    lab.run(feed_of(100'000, 0.05, 3),
            {{.loses = seeded(loss, 1)}, {.delay = microseconds{4200}, .loses = seeded(loss, 2)}});
    lab.finish();
    lab.expect_union();
    EXPECT_EQ(lab.longest_stay(), Nanoseconds{0});
  }
}

}  // namespace
}  // namespace castgate
