// SPDX-License-Identifier: Apache-2.0
// Streams that come, change and go while two workers hand packets to each other.
#include "tests/support/two_workers.h"

namespace castgate {
namespace {

using test::LegSender;

class WorkersReloadTest : public test::TwoWorkers {};

// Of 16 streams two come and go, two change what they hold, and all others are left alone.
TEST_F(WorkersReloadTest, hundred_reloads_cost_the_other_streams_nothing) {
  build(4096);
  const Spec all = spec_;
  for (LegSender& sender : senders_) sender.last = UINT64_MAX;
  launch();
  while (receiver_.taken < 5'000) std::this_thread::yield();
  for (unsigned n = 0; n < 100; ++n) {
    Spec next = all;
    for (const unsigned s : {6u, 7u}) {
      next.streams[s].failover.max_rate_pps = 1000 + 500 * (n % 4);
      next.streams[s].outputs[0].ttl = static_cast<std::uint8_t>(1 + n);
      if (n % 3 == 0) std::swap(next.streams[s].legs[0], next.streams[s].legs[1]);
    }
    for (const unsigned s : {14u, 15u}) {
      if (n % 2 == 0) next.streams[s] = {};
    }
    std::erase_if(next.streams, [](const StreamSpec& stream) { return stream.is_vacant(); });
    const ReloadReport report = reload(next);
    EXPECT_EQ(report.unchanged, 12u);
    EXPECT_EQ(report.changed, 2u);
    EXPECT_EQ(report.removed, n % 2 == 0 ? 2u : 0u);
    EXPECT_EQ(report.added, n % 2 == 0 ? 0u : 2u);
    const std::uint64_t taken = receiver_.taken;
    while (receiver_.taken < taken + 500) std::this_thread::yield();
  }
  end();
  const Snapshot last = last_snapshot();
  for (unsigned s = 0; s < 14; ++s) {
    EXPECT_EQ(receiver_.backward_of[s], 0u) << s;
    EXPECT_EQ(last.streams[s].forwarded, receiver_.taken_of[s]);
    EXPECT_EQ(last.streams[s].unrecovered, receiver_.skipped_of[s]);
  }
  EXPECT_EQ(last.ledger.in, senders_[0].sent + senders_[1].sent);
  EXPECT_EQ(last.ledger.out, receiver_.taken);
  EXPECT_EQ(last.ledger.held, 0u);
  EXPECT_TRUE(last.ledger.balances());
}

}  // namespace
}  // namespace castgate
