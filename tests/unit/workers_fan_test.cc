// SPDX-License-Identifier: Apache-2.0
// Two workers on two threads that each have half of the clients of one stream.
#include "tests/support/two_workers.h"

namespace castgate {
namespace {

using test::kStreams;
using test::LegSender;

// Clients of stream 0 are told by the last byte of their addresses, like the other streams' groups.
constexpr std::array<std::uint8_t, 9> kClients{0, 8, 9, 10, 11, 12, 13, 14, 15};
constexpr unsigned kGroups = 8;  // streams 1 to 7 go to groups

class WorkersFanTest : public test::TwoWorkers {
 protected:
  void build_split() {
    for (unsigned s = kGroups; s < kStreams; ++s) spec_.streams.pop_back();
    worker_of_stream_.resize(kGroups);
    StreamSpec& split = spec_.streams[0];
    split.outputs.clear();
    split.unicasts.push_back({.name = "homes", .port = 2, .fan_workers = 2});
    flows_.emplace(spec_, worker_of_stream_);
    helpers_ = helpers_of(spec_);
    build(4096);
  }

  ClientPlace join(std::uint8_t number) {
    const ClientRoute route{.to = {IpAddress::v4(0x0a000000u + number), 6000},
                            .source = IpAddress::v4(0x0a000009),
                            .next_hop = MacAddress{{2, 0, 0, 0, 0, 7}}};
    const unsigned part = clients_->next_part(route);
    const auto command = clients_->join(route, nullptr, part, workers_[part]->commands_done());
    EXPECT_TRUE(command) << command.error().text;
    EXPECT_TRUE(workers_[part]->commands().put(*command));
    return command->client.place;
  }
  // The stream begins once both workers have heard of the clients.
  void launch_with_clients() {
    for (LegSender& sender : senders_) sender.holds = true;
    launch();
    for (const auto& worker : workers_) {
      while (worker->commands_done() != worker->commands().put_so_far()) std::this_thread::yield();
    }
    for (LegSender& sender : senders_) sender.holds = false;
  }
  void leave(const ClientPlace& place) {
    CommandRing& commands = workers_[place.part]->commands();
    EXPECT_TRUE(commands.put(clients_->leave(place, commands.put_so_far() + 1)));
  }
  void wait_for(std::uint64_t more) {
    const std::uint64_t taken = receiver_.taken;
    while (receiver_.taken < taken + more) std::this_thread::yield();
  }
  // Each position that the stream had, once and in its order.
  void expect_whole(unsigned client, const Snapshot& last) {
    EXPECT_EQ(receiver_.backward_of[client], 0u) << client;
    EXPECT_EQ(receiver_.skipped_of[client], last.streams[0].unrecovered) << client;
    EXPECT_EQ(receiver_.taken_of[client], last.streams[0].forwarded) << client;
  }
  void expect_balance(const Snapshot& last) {
    EXPECT_EQ(last.ledger.out, receiver_.taken);
    EXPECT_EQ(last.ledger.held, 0u);
    EXPECT_TRUE(last.ledger.balances());
    EXPECT_EQ(last.drops[static_cast<std::size_t>(DropReason::Backlog)], 0u);
  }
};

TEST_F(WorkersFanTest, every_client_gets_the_whole_stream_from_its_worker) {
  constexpr std::uint64_t kPositions = 1500;
  build_split();
  for (LegSender& sender : senders_) sender.last = kPositions + 1;
  for (const std::uint8_t number : kClients) join(number);
  launch_with_clients();
  constexpr std::uint64_t kEach = kPositions - kPositions / 77;
  while (receiver_.taken < kEach * (kClients.size() + kGroups - 1)) std::this_thread::yield();
  end();
  const Snapshot last = last_snapshot();
  EXPECT_EQ(last.streams[0].forwarded, kEach);
  for (const std::uint8_t number : kClients) expect_whole(number, last);
  EXPECT_EQ(last.streams[0].unicasts[0].packets, kEach * kClients.size());
  EXPECT_EQ(last.streams[0].unicasts[0].clients, kClients.size());
  EXPECT_EQ(receiver_.backward(), 0u);
  expect_balance(last);
}

TEST_F(WorkersFanTest, clients_that_come_and_go_cost_those_that_stay_nothing) {
  build_split();
  for (LegSender& sender : senders_) sender.last = UINT64_MAX;
  for (unsigned n = 0; n < 6; ++n) join(kClients[n]);
  launch_with_clients();
  for (unsigned n = 0; n < 60; ++n) {
    std::array<ClientPlace, 3> guests;
    for (unsigned g = 0; g < 3; ++g) guests.at(g) = join(kClients[6 + g]);
    wait_for(100);
    for (const ClientPlace& place : guests) leave(place);
    wait_for(100);
  }
  end();
  const Snapshot last = last_snapshot();
  for (unsigned n = 0; n < 6; ++n) expect_whole(kClients[n], last);
  EXPECT_EQ(last.streams[0].unicasts[0].clients, 6u);
  expect_balance(last);
}

// The stream with the clients changes its legs and gets and loses a second output, others go.
TEST_F(WorkersFanTest, reloads_keep_every_client_on_its_worker_without_loss) {
  build_split();
  const Spec all = spec_;
  for (LegSender& sender : senders_) sender.last = UINT64_MAX;
  for (const std::uint8_t number : kClients) join(number);
  launch_with_clients();
  wait_for(5'000);
  for (unsigned n = 0; n < 24; ++n) {
    Spec next = all;
    next.streams[0].failover.max_rate_pps = 1000 + 500 * (n % 4);
    if (n % 3 == 0)
      next.streams[0].unicasts.push_back({.name = "more", .port = 2, .fan_workers = 2});
    if (n % 4 == 0) next.streams[7].unicasts.push_back({.name = "x", .port = 2, .fan_workers = 2});
    if (n % 5 == 0) next.streams.erase(next.streams.begin() + 6);
    reload(next);
    wait_for(500);
  }
  end();
  const Snapshot last = last_snapshot();
  for (const std::uint8_t number : kClients) expect_whole(number, last);
  EXPECT_EQ(last.streams[0].unicasts[0].clients, kClients.size());
  expect_balance(last);
}

TEST_F(WorkersFanTest, stream_that_goes_ends_on_both_workers_with_nothing_left) {
  build_split();
  for (LegSender& sender : senders_) sender.last = UINT64_MAX;
  for (const std::uint8_t number : kClients) join(number);
  launch_with_clients();
  wait_for(5'000);
  Spec without = spec_;
  without.streams.erase(without.streams.begin());
  reload(without);
  wait_for(2'000);  // what was on its way over the other worker
  const std::uint64_t client = receiver_.taken_of[8];
  wait_for(2'000);
  EXPECT_EQ(receiver_.taken_of[8], client);
  end();
  EXPECT_EQ(receiver_.backward(), 0u);
  const Snapshot last = last_snapshot();
  EXPECT_EQ(last.ledger.out, receiver_.taken);
  EXPECT_EQ(last.ledger.held, 0u);
  EXPECT_TRUE(last.ledger.balances());
}

}  // namespace
}  // namespace castgate
