// SPDX-License-Identifier: Apache-2.0
// classify alone, between a stage and exits that keep what comes.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "dataplane/classify/classify_stage.h"
#include "tests/support/packets.h"
#include "tests/support/quiet_eal.h"

namespace castgate::test {

// Keeps what comes: the tag and the bytes up to the end of the UDP payload.
class KeptStage final : public Stage {
 public:
  void process(std::span<rte_mbuf* const> burst, Instant /*now*/) noexcept override {
    for (rte_mbuf* packet : burst) {
      seen.push_back({tag_of(packet), bytes_of(packet), packet->pkt_len, packet->nb_segs});
      rte_pktmbuf_free(packet);
    }
  }
  struct Packet {
    PacketTag tag;
    Bytes bytes;
    unsigned length;  // as the mbuf has it
    unsigned segments;
  };
  std::vector<Packet> seen;
};

class KeptExits final : public ClassifyExits {
 public:
  bool hand_over(rte_mbuf* packet, unsigned worker) noexcept override {
    handed.push_back(
        {worker, {tag_of(packet), bytes_of(packet), packet->pkt_len, packet->nb_segs}});
    rte_pktmbuf_free(packet);
    return true;
  }
  bool punt(rte_mbuf*, unsigned, HostKind, Instant) noexcept override { return false; }
  struct Packet {
    unsigned worker;
    KeptStage::Packet packet;
  };
  std::vector<Packet> handed;
};

class ClassifyLab : public DriverTest {
 protected:
  // Every stream has leg 0 on port 1, which compares MACs, and leg 1 on port 0.
  ClassifyLab() {
    spec_.ports.resize(2);
    spec_.ports[1].verify.mac = true;
    spec_.appliance.max_frame = 9018;
    add_stream("239.1.0.1:5000", std::nullopt);
    add_stream("239.1.0.1:5000", IpAddress::parse("10.0.0.7"));
    add_stream("239.1.0.2:5000", std::nullopt);
  }
  void add_stream(const char* to, std::optional<IpAddress> from) {
    StreamSpec& stream = spec_.streams.emplace_back();
    for (const unsigned port : {1u, 0u}) {
      stream.legs.push_back({"L", port, {}, from, Endpoint::parse(to).value()});
    }
  }
  void build() {
    flows_.emplace(spec_, workers_);
    auto pool = PacketPool::make({.name = "frames", .packets = 63, .max_frame = 9018});
    ASSERT_TRUE(pool) << pool.error().text;
    frames_.emplace(std::move(*pool));
    stage_.emplace(ClassifyParts{spec_, *flows_, 0, frames_->get()}, kept_, exits_);
  }
  void receive(unsigned port, rte_mbuf* packet) {
    ASSERT_NE(packet, nullptr);
    if (!stage_) build();
    stage_->receive(port, {&packet, 1}, Instant{1});
  }
  void receive(unsigned port, const Bytes& frame) { receive(port, one_segment(pool(), frame)); }
  // The frame in pieces that end at `cuts`.
  rte_mbuf* in_pieces(const Bytes& frame, std::vector<std::size_t> cuts) {
    cuts.push_back(frame.size());
    rte_mbuf* whole = nullptr;
    for (std::size_t i = cuts.size(); i-- > 0;) {
      const auto from = static_cast<std::ptrdiff_t>(i == 0 ? 0 : cuts[i - 1]);
      const Bytes piece(frame.begin() + from, frame.begin() + static_cast<std::ptrdiff_t>(cuts[i]));
      whole = whole == nullptr ? one_segment(pool(), piece) : chain(pool(), piece, whole);
    }
    return whole;
  }
  std::uint64_t drops(unsigned port, DropReason reason) {
    return stage_->ports()[port].drops[static_cast<std::size_t>(reason)].get();
  }
  // Its last drop, if it had one since the last call.
  std::optional<DropReason> new_drop(unsigned port) {
    std::optional<DropReason> found;
    for (std::size_t r = 0; r < kDropReasons; ++r) {
      const std::uint64_t now = stage_->ports()[port].drops[r].get();
      if (now != counted_[port][r]) found = static_cast<DropReason>(r);
      counted_[port][r] = now;
    }
    return found;
  }

  void TearDown() override {
    stage_.reset();
    EXPECT_EQ(frames_->in_use(), 0u);
    frames_.reset();
    DriverTest::TearDown();
  }

  Spec spec_;
  std::vector<std::uint8_t> workers_{0, 0, 1};  // by stream
  KeptStage kept_;
  KeptExits exits_;
  std::optional<FlowTable> flows_;
  std::optional<PacketPool> frames_;  // for those that came in pieces
  std::optional<ClassifyStage> stage_;
  std::array<std::array<std::uint64_t, kDropReasons>, 2> counted_{};
};

}  // namespace castgate::test
