// SPDX-License-Identifier: Apache-2.0
// Numbers far ahead within one epoch: lost packets where the stream can have sent so many, a
// restart where it cannot.
#include <gtest/gtest.h>

#include "tests/support/merge_paths.h"

namespace castgate::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kBefore = 5'000;  // packets, one each 0.1 ms
constexpr std::uint64_t kAfter = 5'000;
constexpr std::uint64_t kOffset = 1'000;  // on the wire, of the first packet

struct Jump {
  std::uint64_t by;    // positions beyond the old numbering's end
  Nanoseconds away{};  // both legs bring nothing for so long
};

// What comes after the jump is a generation of its own, to the lab.
void run(MergeLab& lab, const Jump& jump) {
  Wire wire;
  const std::vector<Path> paths{{}, {.delay = milliseconds{5}}};
  const Instant end = send(wire, lab, paths, {.count = kBefore});
  send(wire, lab, paths, {.count = kAfter, .start = end + jump.away, .generation = 1});
  wire.deliver_before(kNever, lab);
  lab.finish();
  lab.expect_union(0);
  lab.expect_union(1);
  lab.expect_balance();
  EXPECT_EQ(lab.passed(), kBefore + kAfter);
}

MergeLab lab_of(MergeRelease release, const Jump& jump) {
  return MergeLab({.release = release,
                   .window = 1024,
                   .max_skew = milliseconds{20},
                   .playout_delay = milliseconds{20},
                   .width = 32},
                  {{.offset = kOffset}, {.offset = kOffset + kBefore + jump.by}});
}

TEST(MergeFarJumpTest, number_that_begins_anew_far_ahead_is_a_restart) {
  for (const MergeRelease release : kReleases) {
    for (const Jump& jump : {Jump{1'000'000'000}, Jump{2'000'000}, Jump{2'000'000'000, seconds{5}},
                             Jump{1'500'000'000, milliseconds{400}}}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(release) << ", by " << jump.by << " in "
                                      << jump.away.count() << " ns");
      MergeLab lab = lab_of(release, jump);
      run(lab, jump);
      EXPECT_EQ(lab.window.totals().restarts, 1);
      EXPECT_EQ(lab.window.totals().unrecovered, 0);
    }
  }
}

TEST(MergeFarJumpTest, packets_that_were_sent_while_both_legs_were_away_are_lost) {
  for (const MergeRelease release : kReleases) {
    for (const Jump& jump :
         {Jump{50'000, seconds{5}}, Jump{4'000, milliseconds{400}}, Jump{2'000'000, seconds{5}}}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(release) << ", by " << jump.by << " in "
                                      << jump.away.count() << " ns");
      MergeLab lab = lab_of(release, jump);
      run(lab, jump);
      EXPECT_EQ(lab.window.totals().restarts, 0);
      EXPECT_EQ(lab.window.totals().unrecovered, jump.by);
    }
  }
}

}  // namespace
}  // namespace castgate::test
