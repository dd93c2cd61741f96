// SPDX-License-Identifier: Apache-2.0
// Two workers on two threads: packets handed over, a transmit queue that both use, snapshots while
// they run, and an end without a packet left behind.
#include "tests/support/two_workers.h"

namespace castgate {
namespace {

using test::kStreams;
using test::LegSender;

class WorkersTest : public test::TwoWorkers {};

TEST_F(WorkersTest, packets_handed_over_leave_once_and_in_order) {
  constexpr std::uint64_t kPositions = 5000;
  build(4096);
  for (LegSender& sender : senders_) sender.last = kPositions + 1;
  launch();
  // Each 77th position is lost on both legs.
  constexpr std::uint64_t kLost = kPositions / 77;
  std::uint64_t before = 0;
  while (receiver_.taken < kStreams * (kPositions - kLost)) {
    const Snapshot seen = snapshot_while_running();
    EXPECT_GE(forwarded(seen), before);
    before = forwarded(seen);
    for (const StreamSnapshot& stream : seen.streams) {
      EXPECT_LE(stream.forwarded + stream.unrecovered, kPositions);
      EXPECT_LE(stream.legs[0].packets, kPositions - kPositions / 7);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  end();
  EXPECT_EQ(receiver_.taken, kStreams * (kPositions - kLost));
  EXPECT_EQ(receiver_.skipped(), kStreams * kLost);
  EXPECT_EQ(receiver_.backward(), 0u);
  EXPECT_FALSE(receiver_.other_thread);

  const Snapshot last = last_snapshot();
  for (const StreamSnapshot& stream : last.streams) {
    EXPECT_EQ(stream.forwarded, kPositions - kLost) << stream.name;
    EXPECT_EQ(stream.unrecovered, kLost);
    EXPECT_EQ(stream.legs[0].packets, kPositions - kPositions / 7);
    EXPECT_EQ(stream.legs[1].packets, kPositions - kPositions / 11);
  }
  EXPECT_EQ(last.ledger.in, senders_[0].sent + senders_[1].sent);
  EXPECT_EQ(last.ledger.out, receiver_.taken);
  EXPECT_EQ(last.ledger.held, 0u);
  EXPECT_TRUE(last.ledger.balances());
}

TEST_F(WorkersTest, end_under_load_leaves_nothing_behind) {
  build(4096);
  for (LegSender& sender : senders_) sender.last = UINT64_MAX;
  launch();
  while (receiver_.taken < 20'000) std::this_thread::yield();
  end();
  const Snapshot last = last_snapshot();
  EXPECT_EQ(receiver_.backward(), 0u);
  EXPECT_EQ(last.ledger.in, senders_[0].sent + senders_[1].sent);
  EXPECT_EQ(last.ledger.out, receiver_.taken);
  EXPECT_EQ(last.ledger.held, 0u);
  EXPECT_TRUE(last.ledger.balances());
}

TEST_F(WorkersTest, commands_are_taken_while_packets_flow) {
  build(4096);
  for (LegSender& sender : senders_) sender.last = UINT64_MAX;
  Command command{.kind = CommandKind::Leg, .leg = {}, .capture = {}};
  for (const auto& worker : workers_) {
    while (worker->commands().put(command)) {
    }
    EXPECT_TRUE(worker->commands().full());
  }
  launch();
  while (receiver_.taken < 20'000) std::this_thread::yield();
  for (const auto& worker : workers_) {
    EXPECT_FALSE(worker->commands().full());
    EXPECT_TRUE(worker->commands().put(command));
  }
  end();
  EXPECT_TRUE(last_snapshot().ledger.balances());
}

TEST_F(WorkersTest, what_waited_in_a_wire_since_before_the_start_is_dropped_by_name) {
  constexpr std::uint64_t kWaiting = 50;
  build(4096);
  for (LegSender& sender : senders_) {
    sender.wire(kWaiting);
    sender.last = 1001;
  }
  launch();
  while (receiver_.taken < kStreams * std::uint64_t{950 - 950 / 77}) std::this_thread::yield();
  end();
  const Snapshot last = last_snapshot();
  const auto dropped = last.drops[static_cast<std::size_t>(DropReason::BeforeStart)];
  EXPECT_EQ(dropped, kStreams * (2 * kWaiting - kWaiting / 7 - kWaiting / 11));
  for (const StreamSnapshot& stream : last.streams) {
    EXPECT_EQ(stream.forwarded + stream.unrecovered, 1000 - kWaiting);
    EXPECT_EQ(stream.unrecovered, 1000 / 77);  // the first of them is 77
  }
  EXPECT_EQ(last.ledger.in, senders_[0].sent + senders_[1].sent);
  EXPECT_TRUE(last.ledger.balances());
}

TEST_F(WorkersTest, full_ring_drops_by_name_and_the_other_streams_lose_nothing) {
  build(64);
  for (LegSender& sender : senders_) sender.last = UINT64_MAX;
  // Only worker 0 runs: nobody empties the ring to worker 1.
  threads_.emplace_back([this] {
    rte_thread_register();
    workers_[0]->run();
    rte_thread_unregister();
    left_[0] = true;
  });
  progress_.leg[1] = 1000;  // as if leg B had come that far
  while (senders_[0].sent < std::uint64_t{kStreams} * 900) std::this_thread::yield();
  left_[1] = true;
  end();
  const Snapshot last = last_snapshot();
  EXPECT_GT(last.drops[static_cast<std::size_t>(DropReason::HandoverFull)], 5000u);
  for (unsigned s = 0; s < kStreams; s += 2) EXPECT_GT(last.streams[s].legs[0].packets, 770u);
  EXPECT_EQ(last.ledger.in, senders_[0].sent);
  EXPECT_TRUE(last.ledger.balances());
  EXPECT_LE(last.ledger.held, 64u + kBurst);  // in the ring that nobody empties
}

}  // namespace
}  // namespace castgate
