// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <deque>
#include <optional>

#include <rte_lcore.h>

#include "dataplane/end_together.h"
#include "dataplane/reload.h"
#include "dataplane/ring_port.h"
#include "dataplane/worker.h"
#include "tests/support/leg_sender.h"

namespace castgate::test {

// Two workers on two threads between two legs of many streams and one receiver.
class TwoWorkers : public DriverTest {
 protected:
  void SetUp() override {
    DriverTest::SetUp();
    for (unsigned w = 0; w < 2; ++w) {
      auto pool = PacketPool::make(
          {.name = "worker" + std::to_string(w), .packets = 16383, .max_frame = 256});
      ASSERT_TRUE(pool) << pool.error().text;
      pools_.push_back(std::move(*pool));
      auto heads = PacketPool::make(
          {.name = "heads" + std::to_string(w), .packets = 4095, .heads_only = true});
      ASSERT_TRUE(heads) << heads.error().text;
      heads_.push_back(std::move(*heads));
    }
    spec_.ports.resize(3);
    for (unsigned s = 0; s < kStreams; ++s) {
      StreamSpec& stream = spec_.streams.emplace_back();
      stream.name = "stream" + std::to_string(s);
      const Endpoint group{IpAddress::v4(0xef010000 + s), 5000};
      stream.legs = {{"A", 0, {}, {}, group}, {"B", 1, {}, {}, group}};
      stream.failover.max_skew = std::chrono::seconds(2);
      stream.failover.max_rate_pps = 1000;
      OutputSpec output;
      output.port = 2;
      output.to = {IpAddress::v4(0xef090000 + s), 5000};
      output.source = IpAddress::v4(0x0a000009);
      stream.outputs = {output};
      worker_of_stream_.push_back(static_cast<std::uint8_t>(s % 2));
    }
    flows_.emplace(spec_, worker_of_stream_);
  }

  PacketRing* ring(const char* name, unsigned slots) {
    auto made = PacketRing::make(name, slots);
    EXPECT_TRUE(made.has_value());
    return &rings_.emplace_back(std::move(*made));
  }

  // Worker 0 polls leg A's port and owns the receiver's queue, worker 1 polls leg B's.
  void build(unsigned ring_slots) {
    senders_.emplace_back(pools_[0].get(), 0, 7, progress_);
    senders_.emplace_back(pools_[1].get(), 1, 11, progress_);
    between_ = {ring("over0_1", ring_slots), ring("over1_0", ring_slots), ring("tx1", ring_slots),
                ring("fan0_1", 512), ring("fan1_0", 512)};
    std::array<Port*, 3> all{&senders_[0], &senders_[1], &receiver_};
    clients_ = std::make_unique<ClientRoster>(spec_, all);
    over_ring_.emplace(receiver_, *between_[2]);
    const std::size_t size = rte_rcu_qsbr_get_memsize(2);
    rcu_.reset(static_cast<rte_rcu_qsbr*>(std::aligned_alloc(64, (size + 63) / 64 * 64)));
    ASSERT_EQ(rte_rcu_qsbr_init(rcu_.get(), 2), 0);
    for (unsigned w = 0; w < 2; ++w) {
      std::vector<bool> mine(worker_of_stream_.size());
      std::transform(worker_of_stream_.begin(), worker_of_stream_.end(), mine.begin(),
                     [w](std::uint8_t worker) { return worker == w; });
      Port* out = w == 0 ? static_cast<Port*>(&receiver_) : &*over_ring_;
      WorkerParts parts{
          .pipeline = {.spec = spec_,
                       .flows = *flows_,
                       .worker = w,
                       .mine = mine,
                       .ports = {&senders_[0], &senders_[1], out},
                       .tx_queues = {0, 0, 0},
                       .over_ring = {false, false, w == 1},
                       .pool = pools_[w].get(),
                       .heads = heads_[w].get(),
                       .clients = clients_.get(),
                       .helpers = helpers_,
                       .fan_links = {{w == 0 ? nullptr : between_[4], pools_[0].get()},
                                     {w == 1 ? nullptr : between_[3], pools_[1].get()}}},
          .core = w,
          .polling = w == 0 ? Polling::Busy : Polling::Adaptive,
          .polls = {{&senders_[w], w, 0}},
          .sends = {},
          .hand_over_to = {w == 0 ? nullptr : between_[1], w == 1 ? nullptr : between_[0]},
          .take_over_from = {between_[1 - w]},
          .fan_from = {between_[w == 0 ? 4 : 3]},
          .inject = ring(w == 0 ? "inject0" : "inject1", 64),
          .punt = ring(w == 0 ? "punt0" : "punt1", 64),
          .has_twin = {false, false, false},
          .rcu = rcu_.get()};
      if (w == 0) parts.sends = {{2, between_[2]}};
      workers_.push_back(std::make_unique<Worker>(parts, clock_));
    }
  }

  void launch() {
    for (unsigned w = 0; w < 2; ++w) {
      threads_.emplace_back([this, w] {
        rte_thread_register();
        workers_[w]->run();
        rte_thread_unregister();
        left_[w] = true;
      });
    }
  }

  void end() {
    end_together(workers_, between_, [&](unsigned w) { return left_[w].load(); });
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  Snapshot blank() {
    std::array<Port*, 3> ports{&senders_[0], &senders_[1], &receiver_};
    return empty_snapshot(spec_, ports);
  }

  // As the control thread does: asks one worker after the other while they run.
  Snapshot snapshot_while_running() {
    Snapshot made = blank();
    for (const auto& worker : workers_) {
      SnapshotJob job{&made, 0};
      EXPECT_TRUE(worker->ask(&job));
      while (worker->busy_with_snapshot()) std::this_thread::yield();
    }
    return made;
  }

  Snapshot last_snapshot() {
    Snapshot made = blank();
    for (const auto& worker : workers_) worker->fill(made);
    return made;
  }

  // What runs becomes what is wanted, as the conductor and the runtime do it.
  ReloadReport reload(const Spec& wanted) {
    const Spec after = arranged(spec_, wanted);
    std::array<Port*, 3> ports{&senders_[0], &senders_[1], &receiver_};
    const std::vector<FanHelpers> helpers = helpers_of(after);
    auto clients = std::make_unique<ClientRoster>(after, ports, clients_.get());
    auto reload = Reload({.before = spec_,
                          .after = after,
                          .workers = workers_,
                          .worker_of_stream = worker_of_stream_,
                          .ports = ports,
                          .clients = clients.get(),
                          .helpers_before = helpers_,
                          .helpers = helpers});
    const auto done = reload.carry_out();
    EXPECT_TRUE(done.has_value()) << done.error().text;
    flows_later_ = reload.take_flows();
    clients_ = std::move(clients);
    helpers_ = helpers;
    spec_ = after;
    return reload.report();
  }

  // Where a stream's clients are split, the other worker has the second part.
  std::vector<FanHelpers> helpers_of(const Spec& spec) const {
    std::vector<FanHelpers> helpers(spec.streams.size());
    for (std::size_t s = 0; s < helpers.size(); ++s) {
      if (fan_parts(spec.streams[s]) == 1) continue;
      helpers[s].push_back(static_cast<std::uint8_t>(1 - worker_of_stream_[s]));
    }
    return helpers;
  }

  static std::uint64_t forwarded(const Snapshot& snapshot) {
    std::uint64_t sum = 0;
    for (const StreamSnapshot& stream : snapshot.streams) sum += stream.forwarded;
    return sum;
  }

  void TearDown() override {
    workers_.clear();
    rings_.clear();
    for (const PacketPool& pool : pools_) EXPECT_EQ(pool.in_use(), 0u);
    for (const PacketPool& heads : heads_) EXPECT_EQ(heads.in_use(), 0u);
    pools_.clear();
    heads_.clear();
    DriverTest::TearDown();
  }

  Spec spec_;
  std::vector<std::uint8_t> worker_of_stream_;
  std::optional<FlowTable> flows_;
  std::unique_ptr<FlowTable> flows_later_;
  std::vector<PacketPool> pools_;
  std::vector<PacketPool> heads_;
  std::unique_ptr<ClientRoster> clients_;
  std::vector<FanHelpers> helpers_;
  Progress progress_;
  std::deque<LegSender> senders_;
  StreamReceiver receiver_;
  std::deque<PacketRing> rings_;
  std::vector<PacketRing*> between_;
  std::optional<RingPort> over_ring_;
  std::unique_ptr<rte_rcu_qsbr, decltype(&std::free)> rcu_{nullptr, &std::free};
  TscClock clock_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  std::array<std::atomic<bool>, 2> left_{};
};

}  // namespace castgate::test
