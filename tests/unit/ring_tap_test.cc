// SPDX-License-Identifier: Apache-2.0
// A pipeline whose packets are captured: what the tap shows, and what a full ring costs.
#include "dataplane/capture/ring_tap.h"

#include <map>
#include <optional>

#include <gtest/gtest.h>

#include "tests/support/one_key.h"
#include "tests/support/one_worker.h"

namespace castgate::test {
namespace {

class RingTapTest : public DriverTest {
 protected:
  void SetUp() override {
    DriverTest::SetUp();
    spec_.ports.resize(1);
    spec_.ports[0].name = "red";
    for (const unsigned s : {0u, 1u}) {
      StreamSpec& stream = spec_.streams.emplace_back();
      const Endpoint a{IpAddress::v4(0xef010001 + s), 5000};
      const Endpoint b{IpAddress::v4(0xef020001 + s), 5000};
      stream.legs = {{"A", 0, {}, {}, a}, {"B", 0, {}, {}, b}};
      OutputSpec output;
      output.to = {IpAddress::v4(0xef090001 + s), 5000};
      output.source = IpAddress::v4(0x0a000009);
      stream.outputs = {output, output};
    }
  }
  void TearDown() override {
    worker_.reset();
    DriverTest::TearDown();
  }

  void start(CaptureStart wanted, std::size_t ring_bytes = 1u << 16) {
    worker_.emplace(spec_, pool(), true);
    ring_.emplace(ring_bytes);
    worker_->pipeline->capture_into(*ring_);
    wanted.number = 7;
    command(CommandKind::CaptureStart, wanted);
  }
  void command(CommandKind kind, const CaptureStart& wanted = {}) {
    worker_->pipeline->command({.kind = kind, .leg = {}, .capture = wanted}, worker_->now);
  }
  // Number `sequence` of a stream's leg: leg 0 or 1, or 9 for a group that nobody knows.
  void send(unsigned stream, unsigned leg, unsigned sequence) {
    Frame frame;
    const auto group = static_cast<std::uint8_t>(leg + 1);
    frame.destination = {239, group, 0, static_cast<std::uint8_t>(stream + 1)};
    frame.destination_port = 5000;
    frame.payload = rtp(sequence, 400);
    worker_->receive(frame.bytes());
  }
  std::vector<CapturedPacket> taken(std::uint16_t number = 7) {
    std::vector<CapturedPacket> all;
    CapturedPacket packet;
    while (RingTap::take(*ring_, number, packet)) all.push_back(packet);
    return all;
  }
  static std::uint8_t only(CaptureStage stage) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(stage));
  }

  Spec spec_;
  std::optional<OneWorker> worker_;
  std::optional<ByteRing> ring_;
};

TEST_F(RingTapTest, packet_is_seen_at_each_stage_in_its_order) {
  start({.stages = kAllCaptureStages});
  for (const unsigned leg : {0u, 1u}) send(1, leg, 100);
  const auto all = taken();
  std::string stages;
  for (const CapturedPacket& packet : all) {
    stages += std::string(kCaptureStageNames[static_cast<std::size_t>(packet.stage)]) + " ";
    const bool at_port = packet.stage == CaptureStage::Rx || packet.stage == CaptureStage::Transmit;
    EXPECT_EQ(packet.port, at_port ? 0 : CaptureStart::kAny);
    EXPECT_EQ(packet.stream, at_port ? CaptureStart::kAny : 1);
    EXPECT_EQ(packet.bytes.size(), packet.wire_length);
    EXPECT_EQ(packet.wire_length, 14u + 20 + 8 + 400);
    EXPECT_LE(packet.at, worker_->now);
  }
  EXPECT_EQ(stages, "rx classify rx classify drops failover restamp transmit transmit ");
}

TEST_F(RingTapTest, each_drop_tells_its_own_reason) {
  start({.stages = only(CaptureStage::Drops)});
  for (unsigned i = 0; i < 40; ++i) {
    for (const unsigned leg : {0u, 1u}) send(0, leg, i);
    send(0, 9, i);
    if (i % 8 == 0) send(0, 0, i);
  }
  std::map<std::string, unsigned> reasons;
  for (const CapturedPacket& packet : taken()) {
    EXPECT_EQ(packet.stage, CaptureStage::Drops);
    EXPECT_EQ(packet.port == 0, packet.reason == DropReason::NoFeed);
    ++reasons[std::string(name_of(packet.reason))];
  }
  const std::map<std::string, unsigned> expected{
      {"redundant", 40}, {"no_feed", 40}, {"duplicate_same_leg", 5}};
  EXPECT_EQ(reasons, expected);
  EXPECT_EQ(worker_->dropped(DropReason::Redundant), 40u);
  EXPECT_TRUE(worker_->counters().ledger.balances());
}

TEST_F(RingTapTest, stream_and_port_leave_out_the_others) {
  start({.stages = kAllCaptureStages, .stream = 1});
  for (unsigned i = 0; i < 4; ++i) {
    for (const unsigned stream : {0u, 1u}) {
      for (const unsigned leg : {0u, 1u}) send(stream, leg, i);
    }
  }
  std::map<CaptureStage, unsigned> seen;
  for (const CapturedPacket& packet : taken()) ++seen[packet.stage];
  const std::map<CaptureStage, unsigned> expected{{CaptureStage::Classify, 8},
                                                  {CaptureStage::Failover, 4},
                                                  {CaptureStage::Restamp, 4},
                                                  {CaptureStage::Transmit, 8},
                                                  {CaptureStage::Drops, 4}};
  EXPECT_EQ(seen, expected);
  command(CommandKind::CaptureStart, {.stages = kAllCaptureStages, .port = 1, .number = 8});
  send(0, 0, 9);
  EXPECT_TRUE(taken(8).empty());
}

TEST_F(RingTapTest, snaplen_keeps_the_front_of_chains_too) {
  start({.stages = only(CaptureStage::Transmit), .snaplen = 50});
  for (const unsigned leg : {0u, 1u}) send(0, leg, 1);
  const auto all = taken();
  ASSERT_EQ(all.size(), 2u);
  for (const CapturedPacket& packet : all) {
    ASSERT_EQ(packet.bytes.size(), 50u);
    EXPECT_EQ(packet.bytes[42], std::byte{0x80}) << "RTP begins behind the headers";
    EXPECT_EQ(packet.wire_length, 442u);
  }
}

// Clear packets of a stream of which an output is sealed: headers, unless the capture asks for
// more.
TEST_F(RingTapTest, what_a_sealed_stream_says_is_kept_where_it_is_asked_for_alone) {
  ProtectSpec& protect = spec_.streams[0].outputs[1].protect;
  protect.profile = ProtectProfile::EspTunnel;
  protect.spi = 0x1000;
  protect.keys = one_key(share_key(std::vector<std::byte>(20)));
  protect.inner.to = spec_.streams[0].legs[0].to;
  protect.inner.source = IpAddress::v4(0x0a000001);
  constexpr std::size_t kHeaders = 42 + 12;
  for (const bool clear : {false, true}) {
    const unsigned stages = only(CaptureStage::Rx) | only(CaptureStage::Classify) |
                            only(CaptureStage::Failover) | only(CaptureStage::Drops);
    start({.stages = static_cast<std::uint8_t>(stages), .clear = clear});
    // Of each stream two that come, one that goes on and one that is dropped.
    for (const unsigned stream : {0u, 1u}) {
      send(stream, 0, 1);
      send(stream, 1, 1);
    }
    std::size_t cut = 0;
    std::size_t whole = 0;
    for (const CapturedPacket& packet : taken()) {
      const bool is_whole = packet.bytes.size() == packet.wire_length;
      const bool inside = packet.stage != CaptureStage::Rx && packet.stream == 0;
      EXPECT_EQ(is_whole, clear || !inside);
      if (!is_whole) {
        EXPECT_EQ(packet.bytes.size(), kHeaders);
      }
      ++(is_whole ? whole : cut);
    }
    EXPECT_EQ(cut, clear ? 0u : 4u);
    EXPECT_EQ(whole + cut, 12u);
    worker_.reset();
  }
}

TEST_F(RingTapTest, full_ring_counts_what_it_cannot_take_and_the_flow_goes_on) {
  start({.stages = only(CaptureStage::Rx)}, 1024);
  for (unsigned i = 0; i < 10; ++i) send(0, 0, i);
  EXPECT_EQ(worker_->pipeline->capture_missed(), 8u);
  EXPECT_EQ(taken().size(), 2u);
  send(0, 0, 10);
  EXPECT_EQ(taken().size(), 1u);
  EXPECT_EQ(worker_->pipeline->capture_missed(), 8u);
}

TEST_F(RingTapTest, capture_that_ended_sees_nothing_and_leaves_nothing_to_the_next) {
  start({.stages = kAllCaptureStages});
  send(0, 0, 1);
  command(CommandKind::CaptureStop);
  send(0, 0, 2);
  command(CommandKind::CaptureStart, {.stages = only(CaptureStage::Rx), .number = 8});
  send(0, 0, 3);
  EXPECT_EQ(taken(8).size(), 1u);
}

}  // namespace
}  // namespace castgate::test
