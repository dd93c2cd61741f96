// SPDX-License-Identifier: Apache-2.0
// A flood of host traffic on a leg's own port: the stream beside it loses nothing, the host stack
// gets what each class is allowed, and every other frame has a name.
#include <thread>

#include "dataplane/end_together.h"
#include "dataplane/worker.h"
#include "tests/support/fake_port.h"
#include "tests/support/flooded_legs.h"

namespace castgate {
namespace {

using test::Bytes;
using test::FloodedPort;
using test::FloodKind;
using test::HostSide;
using test::kSecond;
using test::kStreamStep;
using test::stream_packet;
using test::TwoLegs;

#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kSlower = 10;  // the instrumented tests do less
#else
constexpr std::uint64_t kSlower = 1;
#endif

class PuntFloodTest : public test::DriverTest {
 protected:
  void SetUp() override {
    DriverTest::SetUp();
    spec_.ports.resize(2);
    StreamSpec& stream = spec_.streams.emplace_back();
    for (unsigned leg = 0; leg < 2; ++leg) {
      const Endpoint to{IpAddress::v4(0xef010001 + leg), 5000};
      stream.legs.push_back({leg == 0 ? "A" : "B", 0, {}, {}, to});
    }
    stream.failover.max_skew = std::chrono::seconds(3);
    stream.failover.max_rate_pps = 10'000;
    OutputSpec output;
    output.port = 1;
    output.to = {IpAddress::v4(0xef090001), 6000};
    output.source = IpAddress::v4(0x0a000009);
    stream.outputs.push_back(output);
    flows_.emplace(spec_, std::vector<std::uint8_t>{0});
  }

  static std::uint64_t drops(const Snapshot& seen, DropReason reason) {
    return seen.drops[static_cast<std::size_t>(reason)];
  }
  // Each payload once, in order, byte for byte.
  static void expect_whole(const std::vector<Bytes>& sent, std::uint64_t count) {
    ASSERT_EQ(sent.size(), count);
    for (std::uint64_t p = 0; p < count; ++p) {
      const Bytes wanted = stream_packet(0, p);
      ASSERT_EQ(Bytes(sent[p].begin() + 42, sent[p].end()),
                Bytes(wanted.begin() + 42, wanted.end()))
          << p;
    }
  }
  static void expect_stream(const Snapshot& seen, std::uint64_t count) {
    EXPECT_EQ(seen.streams[0].forwarded, count);
    EXPECT_EQ(seen.streams[0].unrecovered, 0u);
    EXPECT_TRUE(seen.ledger.balances());
    EXPECT_EQ(seen.ledger.held, 0u);
  }

  const std::array<FloodKind, 6> flood_ = test::host_flood();
  Spec spec_;
  std::optional<FlowTable> flows_;
};

// The punt's own ways out of a pipeline; the clock is the caller's.
struct PuntOnly final : ClassifyExits {
  explicit PuntOnly(PacketRing& ring) : stage({true, false}, ring) {}
  bool hand_over(rte_mbuf*, unsigned) noexcept override { return false; }
  bool punt(rte_mbuf* packet, unsigned port, HostKind kind, Instant now) noexcept override {
    return stage.punt(packet, port, kind, now);
  }
  PuntStage stage;
};

struct NoEvents final : EventSink {
  void report(const Event&) noexcept override {}
};

TEST_F(PuntFloodTest, million_host_packets_in_a_second_cost_a_stream_nothing) {
  constexpr std::int64_t kLasts = kSecond / std::int64_t{kSlower};
  constexpr std::int64_t kFloodStep = 1000;  // 1 Mpps
  constexpr auto kPositions = static_cast<std::uint64_t>(kLasts / kStreamStep);
  auto ring = PacketRing::make("flooded", 1024);  // as a worker has it
  ASSERT_TRUE(ring.has_value());
  PuntOnly exits(*ring);
  NoEvents events;
  std::array<test::FakePort, 2> ports;
  std::optional<Pipeline> pipeline(std::in_place, PipelineParts{.spec = spec_,
                                                                .flows = *flows_,
                                                                .mine = {true},
                                                                .ports = {&ports[0], &ports[1]},
                                                                .tx_queues = {0, 0},
                                                                .pool = pool(),
                                                                .exits = &exits,
                                                                .events = &events});
  HostSide host(flood_);
  TwoLegs legs;
  legs.last = kPositions;
  std::uint64_t streams = 0;
  std::uint64_t flooded = 0;
  // A burst every 20 us: 20 frames of the flood, and what the stream has sent by then.
  for (std::int64_t since = 0; since < kLasts + 100 * kStreamStep; since += 20 * kFloodStep) {
    const Instant now{kSecond + since};
    std::vector<rte_mbuf*> burst;
    while (rte_mbuf* packet = legs.next(since, pool())) burst.push_back(packet);
    streams += burst.size();
    for (unsigned i = 0; i < 20 && since < kLasts; ++i) {
      rte_mbuf* packet = test::one_segment(pool(), flood_[flooded++ % flood_.size()].frame);
      ASSERT_NE(packet, nullptr) << "the flood keeps the packet pool empty";
      burst.insert(burst.begin() + std::ptrdiff_t{i % 2 == 0 ? 0 : i}, packet);
    }
    pipeline->receive(0, burst, now);
    if (pipeline->next_deadline() <= now) pipeline->tick(now);
    pipeline->flush();
    if (since % 1'000'000 == 0) host.empty(*ring);  // the control thread, each millisecond
  }
  host.empty(*ring);
  pipeline->drain({3 * kSecond});

  Port* both[] = {&ports[0], &ports[1]};
  Snapshot seen = empty_snapshot(spec_, both);
  pipeline->snapshot_stream(0, seen.streams[0]);
  pipeline->add_counters(seen);
  const std::uint64_t policed = exits.stage.policed(0);
  EXPECT_EQ(exits.stage.punted(0), host.all);
  EXPECT_EQ(exits.stage.full(0), 0u);
  seen.ledger.out += host.all;
  seen.ledger.dropped += policed;
  expect_stream(seen, kPositions);
  expect_whole(ports[1].sent, kPositions);

  EXPECT_EQ(flooded, static_cast<std::uint64_t>(kLasts / kFloodStep));
  const std::uint64_t garbage = flooded / flood_.size();
  EXPECT_EQ(drops(seen, DropReason::NotIp), garbage);
  EXPECT_EQ(policed + host.all, flooded - garbage);
  EXPECT_EQ(drops(seen, DropReason::Redundant), streams - kPositions);
  EXPECT_EQ(seen.ledger.dropped, policed + garbage + streams - kPositions);
  EXPECT_EQ(seen.ledger.in, flooded + streams);
  for (const FloodKind& kind : flood_) {
    // A tenth of a second's at once, then at its rate.
    const double allowed =
        static_cast<double>(kind.rate) * (0.1 + static_cast<double>(kLasts) / kSecond);
    EXPECT_NEAR(static_cast<double>(host.got[std::string(kind.name)]), allowed, 1.01) << kind.name;
  }
  EXPECT_EQ(host.got.count("something else"), 0u);
  pipeline.reset();
}

TEST_F(PuntFloodTest, worker_under_a_flood_in_real_time_loses_nothing_of_a_stream) {
  constexpr std::uint64_t kPositions = 5000;  // half a second
  auto inject = PacketRing::make("flood_inject", 64);
  auto ring = PacketRing::make("flood_punt", 1024);
  ASSERT_TRUE(inject && ring);
  const std::size_t size = rte_rcu_qsbr_get_memsize(1);
  const std::unique_ptr<rte_rcu_qsbr, decltype(&std::free)> rcu(
      static_cast<rte_rcu_qsbr*>(std::aligned_alloc(64, (size + 63) / 64 * 64)), &std::free);
  ASSERT_EQ(rte_rcu_qsbr_init(rcu.get(), 1), 0);
  const TscClock clock;
  FloodedPort flooded(pool(), flood_, clock);
  flooded.legs.last = kPositions;
  test::FakePort out;
  std::vector<std::unique_ptr<Worker>> workers;
  workers.push_back(std::make_unique<Worker>(WorkerParts{.pipeline = {.spec = spec_,
                                                                      .flows = *flows_,
                                                                      .mine = {true},
                                                                      .ports = {&flooded, &out},
                                                                      .tx_queues = {0, 0},
                                                                      .pool = pool()},
                                                         .polling = Polling::Busy,
                                                         .polls = {{&flooded, 0, 0}},
                                                         .hand_over_to = {nullptr},
                                                         .inject = &*inject,
                                                         .punt = &*ring,
                                                         .has_twin = {true, false},
                                                         .rcu = rcu.get()},
                                             clock));
  std::atomic<bool> left{false};
  std::thread thread([&] {
    rte_thread_register();
    workers[0]->run();
    rte_thread_unregister();
    left = true;
  });
  HostSide host(flood_);
  while (!flooded.ended) {
    host.empty(*ring);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  flooded.stops = true;
  end_together(workers, {}, [&](unsigned) { return left.load(); });
  thread.join();
  host.empty(*ring);

  Port* both[] = {&flooded, &out};
  Snapshot seen = empty_snapshot(spec_, both);
  workers[0]->fill(seen);
  expect_stream(seen, kPositions);
  expect_whole(out.sent, kPositions);
  EXPECT_EQ(seen.ledger.in, flooded.flooded + flooded.streams);
  EXPECT_EQ(seen.ledger.out, kPositions + host.all);
  const std::uint64_t kept_out =
      drops(seen, DropReason::PuntPoliced) + drops(seen, DropReason::PuntFull);
  EXPECT_GT(drops(seen, DropReason::PuntPoliced), 0u);
  EXPECT_EQ(kept_out + drops(seen, DropReason::NotIp) + host.all, flooded.flooded);
  EXPECT_NEAR(static_cast<double>(drops(seen, DropReason::NotIp)),
              static_cast<double>(flooded.flooded) / static_cast<double>(flood_.size()), 1);
  const double lasted = static_cast<double>(flooded.lasted) / kSecond;
  for (const FloodKind& kind : flood_) {
    const auto got = static_cast<double>(host.got[std::string(kind.name)]);
    EXPECT_LE(got, static_cast<double>(kind.rate) * (0.1 + lasted) + 1) << kind.name;
    EXPECT_EQ(got > 0, kind.rate > 0) << kind.name;
  }
  EXPECT_EQ(host.got.count("something else"), 0u);
  std::printf("a flood of %.2f million packets a second for %.2f s\n",
              static_cast<double>(flooded.flooded) / lasted / 1e6, lasted);
  workers.clear();
}

}  // namespace
}  // namespace castgate
