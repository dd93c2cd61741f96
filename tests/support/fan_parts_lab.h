// SPDX-License-Identifier: Apache-2.0
// One stream whose clients are split among three workers, each with pools of its own, in one
// thread.
#pragma once

#include <array>
#include <deque>

#include "tests/support/fan_lab.h"

namespace castgate::test {

inline constexpr unsigned kParts = 3;

class FanPartsLab : public DriverTest {
 protected:
  static constexpr unsigned kRingSlots = 64;

  static PacketPool pool_of(const PacketPoolOptions& options) {
    auto made = PacketPool::make(options);
    EXPECT_TRUE(made) << made.error().text;
    return std::move(*made);
  }

  struct Part {
    explicit Part(unsigned buffers)
        : packets(pool_of({.name = "packets", .packets = buffers})),
          heads(pool_of({.name = "heads", .packets = 8191, .heads_only = true})) {}

    PacketPool packets;
    PacketPool heads;
    CountingPort out{true};
    std::vector<Port*> ports;
    std::optional<Pipeline> pipeline;
    std::uint64_t done = 0;
  };

  // `fan_workers`: of each unicast output of the stream.
  void make(const std::vector<unsigned>& fan_workers = {kParts}, unsigned packets = 2047) {
    spec_.ports.resize(2);
    StreamSpec& stream = spec_.streams.emplace_back();
    stream.name = "s";
    stream.legs.push_back({"A", 0, {}, {}, {IpAddress::v4(0xef010001), 5000}, {}});
    for (const unsigned workers : fan_workers) {
      stream.unicasts.push_back({.name = "homes" + std::to_string(stream.unicasts.size()),
                                 .port = 1,
                                 .max_clients = 50'000,
                                 .fan_workers = workers});
    }
    for (unsigned part = 0; part < fan_parts(stream); ++part) {
      Part& made = parts_.emplace_back(packets);
      made.ports = {&in_, &made.out};
    }
    roster_.emplace(spec_, parts_[0].ports);
    flows_.emplace(spec_, std::vector<std::uint8_t>(1, 0));
    for (unsigned w = 0; w < parts_.size(); ++w) make_pipeline(w);
  }
  void make_pipeline(unsigned w) {
    FanHelpers helpers;
    std::vector<FanLink> links(parts_.size());
    for (unsigned to = 1; to < parts_.size(); ++to) {
      helpers.push_back(static_cast<std::uint8_t>(to));
      if (rings_.size() < to) {
        auto ring = PacketRing::make("fan" + std::to_string(to), kRingSlots);
        ASSERT_TRUE(ring) << ring.error().text;
        rings_.push_back(std::move(*ring));
      }
      if (w == 0) links[to] = {&rings_[to - 1], parts_[to].packets.get()};
    }
    parts_[w].pipeline.emplace(PipelineParts{.spec = spec_,
                                             .flows = *flows_,
                                             .worker = w,
                                             .mine = {w == 0},
                                             .ports = parts_[w].ports,
                                             .tx_queues = {0, 0},
                                             .over_ring = {false, w == over_ring_},
                                             .pool = parts_[w].packets.get(),
                                             .heads = parts_[w].heads.get(),
                                             .clients = &*roster_,
                                             .helpers = {helpers},
                                             .fan_links = links,
                                             .exits = &exits_,
                                             .events = &events_});
  }
  void TearDown() override {
    work_until_idle();
    for (Part& part : parts_) part.pipeline->drain(now_);
    const Snapshot all = snapshot();
    EXPECT_TRUE(all.ledger.balances()) << all.ledger.in << " " << all.ledger.created << " "
                                       << all.ledger.out << " " << all.ledger.dropped;
    EXPECT_EQ(all.ledger.held, 0u);
    for (Part& part : parts_) {
      part.pipeline.reset();
      EXPECT_EQ(part.packets.in_use(), 0u);
      EXPECT_EQ(part.heads.in_use(), 0u);
    }
    rings_.clear();
    parts_.clear();
    DriverTest::TearDown();
  }

  // The client with this number; its address is 10.x.y.z of the number.
  ClientPlace join(unsigned number, std::uint16_t unicast = 0) {
    ClientRoute route{.unicast = unicast, .to = {IpAddress::v4(0x0a000000 + number), 6000}};
    route.source = IpAddress::v4(0x0a0000fe);
    route.next_hop = MacAddress{{2, 0, 0, 0, 0, 7}};
    const unsigned part = roster_->next_part(route);
    const auto command = roster_->join(route, nullptr, part, parts_[part].done);
    EXPECT_TRUE(command) << command.error().text;
    carry_out(*command);
    return command->client.place;
  }
  std::vector<ClientPlace> join_many(unsigned count) {
    std::vector<ClientPlace> places(count);
    for (unsigned n = 0; n < count; ++n) places[n] = join(n);
    return places;
  }
  void leave(const ClientPlace& place) {
    carry_out(roster_->leave(place, parts_[place.part].done + 1));
  }
  void carry_out(const Command& command) {
    Part& part = parts_[command.client.place.part];
    part.pipeline->command(command, now_);
    ++part.done;
  }

  void receive(unsigned number) {
    Frame frame;
    frame.destination = {239, 1, 0, 1};
    frame.to_mac = {1, 0, 0x5e, 1, 0, 1};
    frame.payload = Bytes(1316, 0x5a);
    frame.payload[0] = 0x80;
    set16(frame.payload, 2, number);
    rte_mbuf* packet = one_segment(parts_[0].packets.get(), frame.bytes());
    ASSERT_NE(packet, nullptr);
    now_ = now_ + std::chrono::microseconds(100);
    parts_[0].pipeline->receive(0, {&packet, 1}, now_);
  }
  // A turn of the stream's own worker, or of a helper.
  unsigned turn(unsigned w) {
    unsigned count = 0;
    if (w != 0) {
      std::array<rte_mbuf*, kBurst> burst;
      count = rings_[w - 1].take(burst);
      parts_[w].pipeline->take_part({burst.data(), count}, now_);
    }
    parts_[w].pipeline->flush();
    return count;
  }
  void work_until_idle() {
    bool busy = true;
    while (busy) {
      busy = false;
      for (unsigned w = 0; w < parts_.size(); ++w) {
        busy |= turn(w) != 0 || !parts_[w].pipeline->idle();
      }
    }
  }
  // As the workers fill it, one after the other.
  Snapshot snapshot() {
    Snapshot made = empty_snapshot(spec_, parts_[0].ports);
    for (const Part& part : parts_) {
      part.pipeline->snapshot_stream(0, made.streams[0]);
      part.pipeline->add_counters(made);
    }
    return made;
  }
  std::uint64_t drops(DropReason reason) {
    return snapshot().drops[static_cast<std::size_t>(reason)];
  }
  const std::vector<std::uint16_t>& got(unsigned client, const ClientPlace& place) {
    return parts_[place.part].out.numbers[client];
  }
  static std::vector<std::uint16_t> numbers(unsigned first, unsigned end) {
    std::vector<std::uint16_t> all;
    for (unsigned n = first; n < end; ++n) all.push_back(static_cast<std::uint16_t>(n));
    return all;
  }

  unsigned over_ring_ = kParts;  // whose packets another worker sends
  Spec spec_;
  CountingPort in_{true};
  NoExits exits_;
  NoEvents events_;
  std::deque<Part> parts_;
  std::deque<PacketRing> rings_;  // to each worker but the first
  std::optional<ClientRoster> roster_;
  std::optional<FlowTable> flows_;
  Instant now_{1'000'000'000};
};

}  // namespace castgate::test
