// SPDX-License-Identifier: Apache-2.0
// Streams that come, change and go in one pipeline.
#include "dataplane/contract/reload.h"

#include "dataplane/stream_kit.h"
#include "tests/support/one_key.h"
#include "tests/support/one_worker.h"
#include "tests/support/srtp_opener.h"

namespace castgate {
namespace {

using test::Bytes;
using test::Frame;
using test::OneWorker;
using Texts = std::vector<std::string>;

StreamSpec stream(const std::string& name, unsigned number) {
  StreamSpec made;
  made.name = name;
  const auto group = [&](unsigned path) {
    return Endpoint{IpAddress::v4(0xef000000 | path << 16 | number), 5000};
  };
  made.legs = {{.name = "A", .to = group(1)}, {.name = "B", .to = group(2)}};
  made.outputs = {{.name = "main", .to = group(9), .source = IpAddress::v4(0x0a000009)}};
  return made;
}

Spec spec_of(std::initializer_list<StreamSpec> streams) {
  Spec made;
  made.ports = {{.name = "red", .device = "net_null0"}};
  made.streams = streams;
  return made;
}

std::vector<std::string> names(const Spec& spec) {
  std::vector<std::string> all;
  all.reserve(spec.streams.size());
  for (const StreamSpec& one : spec.streams) all.push_back(one.name);
  return all;
}

class ReloadTest : public test::DriverTest {
 protected:
  void SetUp() override {
    DriverTest::SetUp();
    start(spec_of({stream("a", 1), stream("b", 2)}));
  }
  void TearDown() override {
    worker_.reset();
    DriverTest::TearDown();
  }

  void start(const Spec& spec) {
    spec_ = spec;
    worker_ = std::make_unique<OneWorker>(spec, pool(), true);
  }

  // As a worker does it.
  void reload(const Spec& wanted) {
    const Spec next = arranged(spec_, wanted);
    std::array<Port*, 1> ports{&worker_->port};
    for (std::uint32_t s = 0; s < next.streams.size(); ++s) {
      const StreamChange change = change_of(spec_, next, s);
      if (change == StreamChange::None) continue;
      StreamKit leaving;
      leaving.stream = s;
      if (change == StreamChange::Removed) {
        worker_->pipeline->remove(leaving, worker_->now);
      } else {
        const auto kit = make_kit({spec_, next, ports}, s);
        worker_->pipeline->install(*kit, worker_->now);
      }
    }
    flows_ = std::make_unique<FlowTable>(next, std::vector<std::uint8_t>(next.streams.size()));
    worker_->pipeline->set_flows(*flows_);
    worker_->pipeline->flush();
    spec_ = next;
  }

  void send_on_both(unsigned number, unsigned first, unsigned last) {
    for (unsigned sequence = first; sequence <= last; ++sequence) {
      send(1, number, sequence);
      send(2, number, sequence);
    }
  }
  void send(unsigned path, unsigned number, unsigned sequence) {
    Frame frame;
    frame.destination = {239, static_cast<std::uint8_t>(path), 0,
                         static_cast<std::uint8_t>(number)};
    frame.payload = test::rtp(sequence, 100);
    worker_->receive(frame.bytes());
  }

  // Sequence numbers that left, by the last byte of the group; those since the last call.
  std::map<unsigned, std::vector<unsigned>> left() {
    std::map<unsigned, std::vector<unsigned>> all;
    for (const Bytes& frame : worker_->port.sent)
      all[frame.at(33)].push_back(test::get16(frame, 44));
    worker_->port.sent.clear();
    return all;
  }

  Snapshot shown() {
    Port* ports[] = {&worker_->port};
    Snapshot made = empty_snapshot(spec_, ports);
    for (std::size_t s = 0; s < made.streams.size(); ++s)
      worker_->pipeline->snapshot_stream(s, made.streams[s]);
    worker_->pipeline->add_counters(made);
    return made;
  }

  Spec spec_;
  std::unique_ptr<FlowTable> flows_;
  std::unique_ptr<OneWorker> worker_;
};

using Numbers = std::map<unsigned, std::vector<unsigned>>;

// No stage of a worker without one stands between merge and outputs.
TEST_F(ReloadTest, the_first_stream_to_be_sealed_leaves_nothing_in_the_clear) {
  send_on_both(1, 1, 2);
  EXPECT_EQ(left()[1].size(), 2u);
  Spec sealed = spec_;
  ProtectSpec& protect = sealed.streams[0].outputs[0].protect;
  protect.profile = ProtectProfile::EspTunnel;
  protect.spi = 0x1000;
  protect.inner.to = sealed.streams[0].outputs[0].to;
  protect.inner.source = IpAddress::v4(0x0a000009);
  protect.keys = test::one_key(test::key_of(20, 1));
  reload(sealed);
  send_on_both(1, 3, 6);
  send_on_both(2, 3, 6);
  unsigned of_other = 0;
  unsigned of_sealed = 0;
  for (const Bytes& frame : worker_->port.sent) {
    if (frame.at(33) == 2) {
      ++of_other;
      continue;
    }
    ++of_sealed;
    EXPECT_EQ(test::get16(frame, 42), 0u);
    EXPECT_EQ(test::get16(frame, 44), 0x1000u);
    EXPECT_EQ(test::get16(frame, 48), of_sealed);  // its number
  }
  EXPECT_EQ(of_sealed, 4u);
  EXPECT_EQ(of_other, 4u);
  EXPECT_EQ(shown().streams[0].crypto_packets, 4u);
  worker_->port.sent.clear();
}

TEST_F(ReloadTest, streams_come_and_go_and_the_others_go_on) {
  send_on_both(1, 1, 2);
  send_on_both(2, 1, 2);
  EXPECT_EQ(left(), (Numbers{{1, {1, 2}}, {2, {1, 2}}}));
  reload(spec_of({stream("c", 3), stream("a", 1)}));
  for (const unsigned number : {1u, 2u, 3u}) send_on_both(number, 3, 4);
  EXPECT_EQ(left(), (Numbers{{1, {3, 4}}, {3, {3, 4}}}));
  Snapshot seen = shown();
  EXPECT_EQ(seen.streams[0].forwarded, 4u);
  EXPECT_EQ(seen.streams[0].legs[0].packets, 4u);
  EXPECT_EQ(seen.streams[2].forwarded, 2u);
  EXPECT_EQ(seen.drops[static_cast<std::size_t>(DropReason::NoFeed)], 4u);
  EXPECT_TRUE(seen.ledger.balances());

  reload(spec_of({stream("a", 1), stream("b", 2)}));
  for (const unsigned number : {1u, 2u, 3u}) send_on_both(number, 5, 6);
  EXPECT_EQ(left(), (Numbers{{1, {5, 6}}, {2, {5, 6}}}));
  seen = shown();
  EXPECT_EQ(names(spec_), (std::vector<std::string>{"a", "b", ""}));
  EXPECT_EQ(seen.streams[1].forwarded, 2u) << "another stream, though of the same name";
  EXPECT_TRUE(seen.ledger.balances());
}

TEST_F(ReloadTest, what_a_stream_that_goes_has_kept_leaves) {
  send_on_both(1, 1, 2);
  send(1, 1, 4);
  send(1, 1, 5);
  EXPECT_EQ(left(), (Numbers{{1, {1, 2}}}));
  reload(spec_of({stream("b", 2)}));
  EXPECT_EQ(left(), (Numbers{{1, {4, 5}}}));
  EXPECT_EQ(shown().ledger.held, 0u);
  EXPECT_TRUE(shown().ledger.balances());
}

TEST_F(ReloadTest, held_packets_wait_on_under_the_new_max_skew) {
  send_on_both(1, 1, 2);
  for (const unsigned sequence : {4u, 5u, 6u, 7u}) send(1, 1, sequence);
  Spec next = spec_;
  next.streams[0].failover.max_skew = std::chrono::milliseconds(40);
  reload(next);
  EXPECT_EQ(left(), (Numbers{{1, {1, 2}}}));
  EXPECT_EQ(shown().ledger.held, 4u);
  send(2, 1, 3);
  EXPECT_EQ(left(), (Numbers{{1, {3, 4, 5, 6, 7}}}));
}

TEST_F(ReloadTest, outputs_come_and_go_and_the_one_that_stays_goes_on_counting) {
  send_on_both(1, 1, 3);
  Spec next = spec_;
  OutputSpec more = next.streams[0].outputs[0];
  more.name = "more";
  more.to.address = IpAddress::v4(0xef090063);
  next.streams[0].outputs.insert(next.streams[0].outputs.begin(), more);
  reload(next);
  left();
  send_on_both(1, 4, 5);
  EXPECT_EQ(left(), (Numbers{{1, {4, 5}}, {0x63, {4, 5}}}));
  const Snapshot seen = shown();
  EXPECT_EQ(seen.streams[0].outputs[0].packets, 2u);
  EXPECT_EQ(seen.streams[0].outputs[1].packets, 5u);
  EXPECT_TRUE(seen.ledger.balances());
  next.streams[0].outputs.pop_back();
  reload(next);
  send_on_both(1, 6, 6);
  EXPECT_EQ(left(), (Numbers{{0x63, {6}}}));
  EXPECT_EQ(shown().streams[0].outputs[0].packets, 3u);
}

TEST_F(ReloadTest, legs_come_and_go_within_one_numbering) {
  send_on_both(1, 1, 3);
  Spec next = spec_;
  LegSpec third = next.streams[0].legs[0];
  third.name = "C";
  third.to.address = IpAddress::v4(0xef030001);
  next.streams[0].legs = {next.streams[0].legs[1], third};
  reload(next);
  send(3, 1, 2);
  send(3, 1, 3);
  send(3, 1, 4);
  send(2, 1, 4);
  send(1, 1, 5);  // a leg no more
  EXPECT_EQ(left(), (Numbers{{1, {1, 2, 3, 4}}}));
  const Snapshot seen = shown();
  EXPECT_EQ(seen.streams[0].legs[0].packets, 3u) << "C, at A's place";
  EXPECT_EQ(seen.streams[0].legs[1].packets, 4u);
  EXPECT_EQ(seen.streams[0].forwarded, 4u);
  EXPECT_EQ(seen.streams[0].redundant, 6u) << "with those of the leg that has gone";
  EXPECT_TRUE(seen.ledger.balances());
}

TEST_F(ReloadTest, spliced_numbers_go_on_and_a_first_splice_gets_its_stage) {
  Spec next = spec_;
  next.streams[0].failover.continuity = Continuity::Splice;
  reload(next);
  send_on_both(1, 100, 102);
  send_on_both(2, 7, 7);
  EXPECT_EQ(left(), (Numbers{{1, {100, 101, 102}}, {2, {7}}}));
  // The source begins anew; then a reload.
  for (const unsigned sequence : {5000u, 5001u, 5002u, 5003u, 5004u, 5005u, 5006u, 5007u}) {
    worker_->now = worker_->now + std::chrono::milliseconds(9);
    send_on_both(1, sequence, sequence);
  }
  const std::vector<unsigned> spliced = left()[1];
  ASSERT_GE(spliced.size(), 8u);
  EXPECT_EQ(spliced.front(), 103u);
  next.streams[0].failover.max_skew = std::chrono::milliseconds(20);
  reload(next);
  send_on_both(1, 5008, 5009);
  EXPECT_EQ(left(), (Numbers{{1, {spliced.back() + 1, spliced.back() + 2}}}));
}

TEST_F(ReloadTest, packets_on_their_way_to_what_was_removed_are_dropped_by_name) {
  reload(spec_of({stream("b", 2)}));
  for (const PacketTag tag :
       {PacketTag{.stream = 0, .leg = 0, .worker = 0, .udp_at = 34, .l3_at = 14, .flags = 0},
        PacketTag{.stream = 1, .leg = 5, .worker = 0, .udp_at = 34, .l3_at = 14, .flags = 0},
        PacketTag{.stream = 99, .leg = 0, .worker = 0, .udp_at = 34, .l3_at = 14, .flags = 0}}) {
    rte_mbuf* packet = test::one_segment(pool(), Frame{}.bytes());
    set_tag(packet, tag);
    worker_->pipeline->take_over({&packet, 1}, worker_->now);
  }
  EXPECT_EQ(worker_->dropped(DropReason::Removed), 3u);
  EXPECT_TRUE(left().empty());
}

}  // namespace
}  // namespace castgate
