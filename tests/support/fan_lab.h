// SPDX-License-Identifier: Apache-2.0
// One worker's stages with clients, and a port that knows what each of them got.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "tests/support/one_worker.h"

namespace castgate::test {

// Counts by client instead of keeping bytes, or keeps the packets themselves.
class CountingPort final : public Port {
 public:
  explicit CountingPort(bool chains) {
    facts_.mac = {{2, 0, 0, 0, 0, 9}};
    facts_.multi_segment_tx = chains;
  }
  ~CountingPort() override { let_go(); }
  unsigned receive(unsigned, std::span<rte_mbuf*>) noexcept override { return 0; }
  unsigned transmit(unsigned, std::span<rte_mbuf* const> burst) noexcept override {
    unsigned taken = 0;
    for (; taken < burst.size() && accepts != 0; ++taken, --accepts) {
      const auto* frame = rte_pktmbuf_mtod(burst[taken], const std::uint8_t*);
      const std::uint32_t address =
          std::uint32_t{frame[31]} << 16 | std::uint32_t{frame[32]} << 8 | frame[33];
      const rte_mbuf* body = burst[taken]->next;
      const std::uint8_t* payload =
          body == nullptr ? frame + 42 : rte_pktmbuf_mtod(body, const std::uint8_t*);
      numbers[address].push_back(static_cast<std::uint16_t>(payload[2] << 8 | payload[3]));
      order.push_back(address);
      kept.push_back(burst[taken]);
      if (!keeps) let_go();
    }
    return taken;
  }
  void let_go() {
    for (rte_mbuf* packet : kept) rte_pktmbuf_free(packet);
    kept.clear();
  }
  rte_mempool* transmit_pool() const noexcept override { return own_pool; }
  const PortFacts& facts() const noexcept override { return facts_; }
  PortStats stats() const override { return {}; }

  std::map<std::uint32_t, std::vector<std::uint16_t>> numbers;  // RTP, by client's address
  std::vector<std::uint32_t> order;
  std::vector<rte_mbuf*> kept;
  std::uint64_t accepts = UINT64_MAX;
  bool keeps = false;
  rte_mempool* own_pool = nullptr;

 private:
  PortFacts facts_;
};

class FanLab : public DriverTest {
 protected:
  void make(unsigned streams = 1, unsigned heads = 8191, unsigned threshold = 256) {
    spec_.ports.resize(2);
    for (unsigned s = 0; s < streams; ++s) {
      StreamSpec& stream = spec_.streams.emplace_back();
      stream.name = "s" + std::to_string(s);
      stream.legs.push_back({"A", 0, {}, {}, {IpAddress::v4(0xef010001 + s), 5000}, {}});
      UnicastSpec& unicast = stream.unicasts.emplace_back();
      unicast.name = "homes";
      unicast.port = 1;
      unicast.max_clients = 50'000;
      unicast.copy_threshold = threshold;
      if (change_) change_(unicast);
    }
    auto made = PacketPool::make({.name = "heads", .packets = heads, .heads_only = true});
    ASSERT_TRUE(made) << made.error().text;
    heads_.emplace(std::move(*made));
    roster_.emplace(spec_, ports_);
    flows_.emplace(spec_, std::vector<std::uint8_t>(streams, 0));
    pipeline_.emplace(PipelineParts{.spec = spec_,
                                    .flows = *flows_,
                                    .mine = std::vector<bool>(streams, true),
                                    .ports = ports_,
                                    .tx_queues = {0, 0},
                                    .pool = pool(),
                                    .heads = heads_->get(),
                                    .clients = &*roster_,
                                    .exits = &exits_,
                                    .events = &events_});
  }
  void TearDown() override {
    if (pipeline_) {
      pipeline_->drain(now_);
      const Snapshot all = snapshot();
      EXPECT_TRUE(all.ledger.balances()) << all.ledger.in << " " << all.ledger.created << " "
                                         << all.ledger.out << " " << all.ledger.dropped;
      EXPECT_EQ(all.ledger.held, 0u);
      pipeline_.reset();
      out_.let_go();
      EXPECT_EQ(heads_->in_use(), 0u);
      heads_.reset();
    }
    DriverTest::TearDown();
  }

  // The client with this number; its address is 10.x.y.z of the number.
  ClientPlace join(unsigned number, std::uint16_t stream = 0) {
    ClientRoute route{.stream = stream, .to = {IpAddress::v4(0x0a000000 + number), 6000}};
    route.source = IpAddress::v4(0x0a0000fe);
    route.next_hop = MacAddress{{2, 0, 0, 0, 0, 7}};
    const auto command = roster_->join(route, nullptr, 0, done_);
    EXPECT_TRUE(command) << command.error().text;
    carry_out(*command);
    return command->client.place;
  }
  void leave(const ClientPlace& place) { carry_out(roster_->leave(place, done_ + 1)); }
  void carry_out(const Command& command) {
    pipeline_->command(command, now_);
    ++done_;
  }
  std::vector<ClientPlace> join_many(unsigned count) {
    std::vector<ClientPlace> places;
    places.reserve(count);
    for (unsigned n = 0; n < count; ++n) places.push_back(join(n));
    return places;
  }

  // `first`: byte of the payload; RTP's.
  void receive(unsigned number, std::uint16_t stream = 0, unsigned length = 1316,
               std::uint8_t first = 0x80) {
    Frame frame;
    frame.destination = {239, 1, 0, static_cast<std::uint8_t>(1 + stream)};
    frame.to_mac = {1, 0, 0x5e, 1, 0, static_cast<std::uint8_t>(1 + stream)};
    frame.payload = Bytes(length, 0x5a);
    frame.payload[0] = first;
    set16(frame.payload, 2, number);
    rte_mbuf* packet = one_segment(pool(), frame.bytes());
    ASSERT_NE(packet, nullptr);
    now_ = now_ + std::chrono::microseconds(100);
    pipeline_->receive(0, {&packet, 1}, now_);
  }
  void work_until_idle() {
    do {
      pipeline_->flush();
    } while (!pipeline_->idle());
  }
  Snapshot snapshot() {
    Snapshot made = empty_snapshot(spec_, ports_);
    for (std::size_t s = 0; s < spec_.streams.size(); ++s) {
      pipeline_->snapshot_stream(s, made.streams[s]);
    }
    pipeline_->add_counters(made);
    return made;
  }
  std::uint64_t drops(DropReason reason) {
    return snapshot().drops[static_cast<std::size_t>(reason)];
  }
  void expect_all_in_order(unsigned clients, unsigned packets) {
    ASSERT_EQ(out_.numbers.size(), clients);
    std::vector<std::uint16_t> all(packets);
    for (unsigned n = 0; n < packets; ++n) all[n] = static_cast<std::uint16_t>(n);
    for (const auto& [client, numbers] : out_.numbers) EXPECT_EQ(numbers, all) << client;
  }

  std::function<void(UnicastSpec&)> change_;  // what a test wants otherwise
  Spec spec_;
  CountingPort in_{true};
  CountingPort out_{true};
  std::vector<Port*> ports_{&in_, &out_};
  NoExits exits_;
  NoEvents events_;
  std::optional<PacketPool> heads_;
  std::optional<ClientRoster> roster_;
  std::optional<FlowTable> flows_;
  std::optional<Pipeline> pipeline_;
  std::uint64_t done_ = 0;
  Instant now_{1'000'000'000};
};

}  // namespace castgate::test
