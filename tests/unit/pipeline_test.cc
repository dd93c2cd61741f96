// SPDX-License-Identifier: Apache-2.0
// The stages of a worker with real packets, end to end and at their edges.
#include "dataplane/pipeline.h"

#include "dataplane/classify/classify_stage.h"
#include "dataplane/failover/failover_stage.h"
#include "dataplane/replicate/replicate_stage.h"
#include "dataplane/transmit/transmit_stage.h"
#include "tests/support/fake_port.h"
#include "tests/support/quiet_eal.h"

namespace castgate {
namespace {

class Exits final : public ClassifyExits {
 public:
  bool hand_over(rte_mbuf* packet, unsigned worker) noexcept override {
    if (full) return false;
    handed_to.push_back(worker);
    rte_pktmbuf_free(packet);
    return true;
  }
  bool punt(rte_mbuf* packet, unsigned /*port*/, HostKind kind, Instant /*now*/) noexcept override {
    if (!twin) return false;
    punted.push_back(kind);
    rte_pktmbuf_free(packet);
    return true;
  }
  bool full = false;
  bool twin = false;
  std::vector<unsigned> handed_to;
  std::vector<HostKind> punted;
};

class Events final : public EventSink {
 public:
  void report(const Event& event) noexcept override { seen.push_back(event); }
  std::vector<Event> seen;
};

class PipelineTest : public test::DriverTest {
 protected:
  void SetUp() override {
    DriverTest::SetUp();
    spec_.ports.resize(2);
    StreamSpec& stream = spec_.streams.emplace_back();
    stream.legs.push_back({"A", 0, {}, {}, {IpAddress::v4(0xef010001), 5000}});
    stream.legs.push_back({"B", 1, {}, {}, {IpAddress::v4(0xef010001), 5000}});
    stream.failover.reorder_depth = 0;
    add_output(IpAddress::v4(0xef090001), IpAddress::v4(0x0a000009));
  }
  void TearDown() override {
    if (pipeline_) {
      pipeline_->drain(now_);
      Snapshot all = snapshot();
      EXPECT_TRUE(all.ledger.balances());
      EXPECT_EQ(all.ledger.held, 0u);
      pipeline_.reset();
    }
    DriverTest::TearDown();
  }

  void add_output(const IpAddress& group, const IpAddress& source) {
    OutputSpec output;
    output.name = "out" + std::to_string(spec_.streams[0].outputs.size());
    output.port = 1;
    output.to = {group, 6000};
    output.source = source;
    spec_.streams[0].outputs.push_back(output);
  }
  void build(std::uint8_t worker_of_stream = 0) {
    flows_.emplace(spec_, std::vector<std::uint8_t>{worker_of_stream});
    pipeline_.emplace(PipelineParts{.spec = spec_,
                                    .flows = *flows_,
                                    .worker = 0,
                                    .mine = {true},
                                    .ports = {&ports_[0], &ports_[1]},
                                    .tx_queues = {0, 0},
                                    .pool = pool(),
                                    .held_limit = held_limit_,
                                    .exits = &exits_,
                                    .events = &events_});
  }
  static test::Frame rtp(unsigned sequence, unsigned length = 300) {
    test::Frame frame;
    frame.payload = test::Bytes(length, 0x5a);
    frame.payload[0] = 0x80;
    test::set16(frame.payload, 2, sequence);
    return frame;
  }
  void receive(unsigned port, const test::Bytes& frame) {
    if (!pipeline_) build();
    rte_mbuf* packet = test::one_segment(pool(), frame);
    ASSERT_NE(packet, nullptr);
    pipeline_->receive(port, {&packet, 1}, now_);
    pipeline_->flush();
  }
  void receive(unsigned port, const test::Frame& frame) { receive(port, frame.bytes()); }
  Snapshot snapshot() {
    std::array<Port*, 2> ports{&ports_[0], &ports_[1]};
    Snapshot made = empty_snapshot(spec_, ports);
    pipeline_->snapshot_stream(0, made.streams[0]);
    pipeline_->add_counters(made);
    made.ledger.out += exits_.handed_to.size() + exits_.punted.size();
    return made;
  }
  std::uint64_t drops(DropReason reason) {
    return snapshot().drops[static_cast<std::size_t>(reason)];
  }
  const std::vector<test::Bytes>& sent() const { return ports_[1].sent; }

  Spec spec_;
  std::array<test::FakePort, 2> ports_;
  Exits exits_;
  Events events_;
  Instant now_{1'000'000'000};
  std::uint64_t held_limit_ = 1000;
  std::optional<FlowTable> flows_;
  std::optional<Pipeline> pipeline_;
};

TEST_F(PipelineTest, two_legs_make_one_stream_with_new_headers) {
  receive(0, rtp(7));
  receive(1, rtp(7));
  receive(1, rtp(8));
  receive(0, rtp(8));
  ASSERT_EQ(sent().size(), 2u);
  test::Frame want = rtp(7);
  want.to_mac = {1, 0, 0x5e, 9, 0, 1};
  want.from_mac = {2, 0, 0, 0, 0, 9};
  want.source = {10, 0, 0, 9};
  want.destination = {239, 9, 0, 1};
  want.ttl = 16;
  want.source_port = want.destination_port = 6000;
  EXPECT_EQ(sent()[0], want.bytes());
  EXPECT_EQ(test::get16(sent()[1], 18), 1u);  // identification counts from 0
  EXPECT_EQ(drops(DropReason::Redundant), 2u);
}

TEST_F(PipelineTest, padding_does_not_leave_with_the_packet) {
  test::Frame frame = rtp(1, 12);
  frame.padding = test::Bytes(30, 0xee);
  receive(0, frame);
  receive(1, frame);
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0].size(), 42u + 12);
}

TEST_F(PipelineTest, every_output_gets_the_packet_by_copy_or_by_reference) {
  add_output(IpAddress::v4(0xef090002), IpAddress::v4(0x0a000009));
  add_output(*IpAddress::parse("ff3e::9"), *IpAddress::parse("fd00::1"));
  for (const unsigned length : {100u, 1000u}) {  // below and above ReplicateStage::kCopyThreshold
    ports_[1].sent.clear();
    pipeline_.reset();
    test::Frame frame = rtp(1, length);
    frame.udp_sum = false;
    receive(0, frame);
    receive(1, frame);
    ASSERT_EQ(sent().size(), 3u);
    for (const test::Bytes& bytes : sent()) {
      EXPECT_EQ(test::Bytes(bytes.end() - length, bytes.end()), frame.payload);
    }
    test::Frame want = test::frame6();
    want.to_mac = {0x33, 0x33, 0, 0, 0, 9};
    want.from_mac = {2, 0, 0, 0, 0, 9};
    want.source = {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    want.destination = {0xff, 0x3e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
    want.ttl = 16;
    want.source_port = want.destination_port = 6000;
    want.payload = frame.payload;
    EXPECT_EQ(sent()[2], want.bytes());  // over IPv6 the checksum is not left out
  }
}

TEST_F(PipelineTest, packet_too_large_for_the_output_is_counted_as_mtu) {
  spec_.ports[1].mtu = 200;
  receive(0, rtp(1));
  receive(1, rtp(1));
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(drops(DropReason::Mtu), 1u);
}

TEST_F(PipelineTest, decremented_ttl_ends_at_zero) {
  spec_.streams[0].outputs[0].ttl = 0;
  test::Frame frame = rtp(1);
  frame.ttl = 1;
  receive(0, frame);
  receive(1, frame);
  EXPECT_EQ(drops(DropReason::TtlExpired), 1u);
  receive(0, rtp(2));
  ASSERT_EQ(sent().size(), 1u);
  EXPECT_EQ(sent()[0][22], 63);
}

TEST_F(PipelineTest, output_without_a_buffer_for_its_copy_is_counted) {
  add_output(IpAddress::v4(0xef090002), IpAddress::v4(0x0a000009));
  receive(0, rtp(1, 100));
  rte_mbuf* last = test::one_segment(pool(), rtp(1, 100).bytes());
  std::vector<rte_mbuf*> taken;
  while (rte_mbuf* packet = rte_pktmbuf_alloc(pool())) taken.push_back(packet);
  pipeline_->receive(1, {&last, 1}, now_);
  pipeline_->flush();
  EXPECT_EQ(drops(DropReason::CopyFailed), 1u);
  EXPECT_EQ(sent().size(), 1u);
  free_packets(taken);
}

TEST_F(PipelineTest, chain_without_a_buffer_to_join_it_is_counted_as_no_buffer) {
  build();
  test::Bytes frame = rtp(1).bytes();
  rte_mbuf* rest = test::one_segment(pool(), test::Bytes(frame.begin() + 20, frame.end()));
  rte_mbuf* whole = test::chain(pool(), test::Bytes(frame.begin(), frame.begin() + 20), rest);
  whole->buf_len = static_cast<std::uint16_t>(whole->data_off + 20);  // no room behind the header
  std::vector<rte_mbuf*> taken;
  while (rte_mbuf* packet = rte_pktmbuf_alloc(pool())) taken.push_back(packet);
  const std::uint16_t length = taken[0]->buf_len;
  pipeline_->receive(0, {&whole, 1}, now_);
  EXPECT_EQ(drops(DropReason::NoBuffer), 1u);
  whole->buf_len = length;
  free_packets(taken);
}

TEST_F(PipelineTest, header_split_across_segments_is_read_whole) {
  build();
  test::Bytes frame = rtp(1).bytes();
  rte_mbuf* rest = test::one_segment(pool(), test::Bytes(frame.begin() + 20, frame.end()));
  rte_mbuf* packet = test::chain(pool(), test::Bytes(frame.begin(), frame.begin() + 20), rest);
  pipeline_->receive(0, {&packet, 1}, now_);
  receive(1, rtp(1));
  EXPECT_EQ(sent().size(), 1u);
}

TEST_F(PipelineTest, stream_of_another_worker_is_handed_over_or_counted) {
  build(3);
  receive(0, rtp(1));
  EXPECT_EQ(exits_.handed_to, std::vector<unsigned>{3});
  exits_.full = true;
  receive(0, rtp(2));
  EXPECT_EQ(drops(DropReason::HandoverFull), 1u);
}

TEST_F(PipelineTest, host_traffic_goes_to_the_host_where_there_is_one) {
  test::Frame igmp = rtp(1);
  igmp.protocol = 2;
  receive(0, igmp);
  EXPECT_EQ(drops(DropReason::NotUdp), 1u);
  exits_.twin = true;
  receive(0, igmp);
  EXPECT_EQ(exits_.punted, std::vector<HostKind>{HostKind::Igmp});
}

TEST_F(PipelineTest, driver_that_refuses_gets_a_second_chance_and_then_drops_are_counted) {
  receive(0, rtp(1));
  receive(1, rtp(1));
  ports_[1].accepts = 0;
  receive(0, rtp(2));
  EXPECT_EQ(drops(DropReason::TxFull), 0u);
  ports_[1].accepts = 1;
  pipeline_->flush();
  EXPECT_EQ(sent().size(), 2u);
  ports_[1].accepts = 0;
  receive(0, rtp(3));
  pipeline_->flush();
  EXPECT_EQ(drops(DropReason::TxFull), 1u);
  ports_[1].up = false;
  receive(0, rtp(4));
  pipeline_->flush();
  EXPECT_EQ(drops(DropReason::TxLinkDown), 1u);
}

TEST_F(PipelineTest, gap_is_reported_and_held_packets_keep_to_the_budget) {
  held_limit_ = 4;
  receive(0, rtp(1));
  receive(1, rtp(1));
  for (unsigned sequence = 3; sequence < 20; ++sequence) receive(0, rtp(sequence));
  EXPECT_LE(snapshot().streams[0].held_max, 4u);
  EXPECT_EQ(sent().size(), 18u);
  ASSERT_FALSE(events_.seen.empty());
  const Event& gap = events_.seen.back();
  EXPECT_EQ(gap.kind, EventKind::Gap);
  EXPECT_EQ(gap.reason, GapReason::Budget);
  EXPECT_EQ(gap.from, 2u);
  EXPECT_EQ(gap.to, 2u);
}

TEST_F(PipelineTest, packet_without_a_position_is_malformed) {
  test::Frame frame = rtp(1);
  frame.payload[0] = 0x40;
  receive(0, frame);
  EXPECT_EQ(drops(DropReason::Malformed), 1u);
  EXPECT_EQ(snapshot().streams[0].legs[0].malformed, 1u);
}

}  // namespace
}  // namespace castgate
