// SPDX-License-Identifier: Apache-2.0
#include <random>

#include <gtest/gtest.h>

#include "dataplane/pipeline.h"
#include "tests/support/one_worker.h"

namespace castgate::test {
namespace {

OutputSpec output(const char* to, const char* source, VlanTags vlan = {}) {
  OutputSpec made;
  made.to = Endpoint::parse(to).value();
  made.source = IpAddress::parse(source).value();
  made.vlan = vlan;
  return made;
}

class PipelineBytesTest : public DriverTest {
 protected:
  PipelineBytesTest() {
    spec.ports.resize(1);
    for (const char* to : {"239.1.0.1:5000", "[ff3e::1]:5000"}) {
      LegSpec leg;
      leg.to = Endpoint::parse(to).value();
      StreamSpec stream;
      stream.legs = {leg};
      stream.failover.release = Release::Arrival;
      stream.outputs = {output("239.9.0.1:6000", "10.0.0.9")};
      spec.streams.push_back(stream);
    }
  }
  // The frame that `in` must leave as through `to`.
  static Bytes expected(const Frame& in, const OutputSpec& to, unsigned id) {
    Frame made = to.to.address.is_v4() ? Frame{} : frame6();
    const auto& group = to.to.address.bytes();
    made.to_mac =
        made.v6
            ? Bytes{0x33, 0x33, group[12], group[13], group[14], group[15]}
            : Bytes{1, 0, 0x5e, static_cast<std::uint8_t>(group[13] & 0x7f), group[14], group[15]};
    made.from_mac = {0x02, 0, 0, 0, 0, 0xaa};
    if (to.vlan.count() == 1) made.tags = {{0x8100, to.vlan.outer}};
    if (to.vlan.count() == 2) made.tags = {{0x88a8, to.vlan.outer}, {0x8100, to.vlan.inner}};
    const std::size_t skip = made.v6 ? 0 : 12;
    made.source.assign(to.source.bytes().begin() + static_cast<long>(skip),
                       to.source.bytes().end());
    made.destination.assign(group.begin() + static_cast<long>(skip), group.end());
    made.source_port = to.source_port != 0 ? to.source_port : to.to.udp_port;
    made.destination_port = to.to.udp_port;
    made.tos = to.dscp ? static_cast<unsigned>(*to.dscp) << 2 : in.tos & 0xfc;
    made.ttl = to.ttl != 0 ? to.ttl : in.ttl - 1;
    made.id = id;
    made.payload = in.payload;
    made.udp_sum = in.udp_sum || made.v6;
    return made.bytes();
  }
  void leaves_as_expected(Frame in, const OutputSpec& to) {
    spec.streams[in.v6 ? 1 : 0].outputs = {to};
    OneWorker worker(spec, pool(), false);
    for (unsigned i = 0; i < 3; ++i) {
      in.payload = rtp(i, 101);
      worker.receive(in.bytes());
      ASSERT_EQ(worker.port.sent.size(), i + 1);
      EXPECT_EQ(worker.port.sent[i], expected(in, to, i));
    }
  }
  Spec spec;
};

TEST_F(PipelineBytesTest, ip4_leaves_with_the_headers_of_its_output) {
  Frame in;
  in.tos = 0xbb;  // DSCP 46 and both ECN bits, which end here
  in.padding = Bytes(9, 0xee);
  OutputSpec to = output("239.9.0.1:6000", "10.0.0.9");
  leaves_as_expected(in, to);
  to.ttl = 0;
  to.source_port = 77;
  leaves_as_expected(in, to);
  to.dscp = 10;
  leaves_as_expected(in, to);
  in.udp_sum = false;
  leaves_as_expected(in, to);
  in.options = Bytes(40, 1);
  leaves_as_expected(in, to);
}

TEST_F(PipelineBytesTest, tags_of_the_output_are_written) {
  leaves_as_expected({}, output("239.9.0.1:6000", "10.0.0.9", {43, 0}));
  leaves_as_expected({}, output("239.9.0.1:6000", "10.0.0.9", {100, 43}));
  leaves_as_expected(frame6(), output("[ff3e::9]:6000", "fd00::9", {100, 43}));
}

TEST_F(PipelineBytesTest, either_family_leaves_as_the_other) {
  OutputSpec to = output("[ff3e::9]:6000", "fd00::9");
  Frame in;
  in.tos = 0x2e;
  leaves_as_expected(in, to);
  in.udp_sum = false;  // must be computed: IPv6 knows no packet without
  leaves_as_expected(in, to);
  to.ttl = 0;
  leaves_as_expected(frame6(), to);
  Frame six = frame6();
  six.tos = 0xb8;
  leaves_as_expected(six, output("239.9.0.1:6000", "10.0.0.9"));
}

// 100 000 packets with random headers and payloads, odd lengths too.
TEST_F(PipelineBytesTest, checksums_are_right_whatever_comes) {
  std::mt19937 random(46);
  spec.streams[0].outputs[0].ttl = 0;
  for (const char* to : {"239.9.0.1:6000", "[ff3e::9]:6000"}) {
    spec.streams[0].outputs[0].to = Endpoint::parse(to).value();
    OneWorker worker(spec, pool(), false);
    for (unsigned i = 0; i < 50'000; ++i) {
      Frame in;
      in.source = {static_cast<std::uint8_t>(1 + random() % 223),
                   static_cast<std::uint8_t>(random()), 0, static_cast<std::uint8_t>(random())};
      in.tos = random() & 0xff;
      in.id = random() & 0xffff;
      in.ttl = static_cast<unsigned>(2 + random() % 254);
      in.source_port = random() & 0xffff;
      in.payload = rtp(i & 0xffff, 12 + random() % 60);
      in.udp_sum = random() % 8 != 0;
      worker.port.sent.clear();
      worker.receive(in.bytes());
      ASSERT_EQ(worker.port.sent.size(), 1u);
      ASSERT_EQ(worker.port.sent[0], expected(in, spec.streams[0].outputs[0], i & 0xffff));
    }
  }
}

TEST_F(PipelineBytesTest, two_and_sixteen_outputs_all_get_their_frame) {
  for (const std::size_t outputs : {2u, 16u}) {
    for (const bool chains : {false, true}) {
      for (const std::size_t length : {100u, 255u, 256u, 1400u}) {
        auto& wanted = spec.streams[0].outputs;
        wanted.clear();
        for (std::size_t o = 0; o < outputs; ++o) {
          wanted.push_back(output("239.9.0.1:6000", "10.0.0.9"));
          wanted[o].to.udp_port = static_cast<std::uint16_t>(6000 + o);
        }
        OneWorker worker(spec, pool(), chains);
        Frame in;
        in.payload = rtp(1, length);
        worker.receive(in.bytes());
        ASSERT_EQ(worker.port.sent.size(), outputs);
        for (std::size_t o = 0; o < outputs; ++o) {
          EXPECT_EQ(worker.port.sent[o], expected(in, wanted[o], 0)) << o;
        }
        EXPECT_TRUE(worker.counters().ledger.balances());
        ASSERT_EQ(pool_->in_use(), 0u);
      }
    }
  }
}

// The payload is another buffer's then; its sum must be taken there.
TEST_F(PipelineBytesTest, a_shared_payload_without_a_sum_gets_one_towards_ip6) {
  auto& wanted = spec.streams[0].outputs;
  wanted = {output("[ff3e::9]:6000", "fd00::9"), output("[ff3e::a]:6000", "fd00::9"),
            output("239.9.0.1:6000", "10.0.0.9")};
  for (const bool chains : {true, false}) {
    OneWorker worker(spec, pool(), chains);
    Frame in;
    in.udp_sum = false;
    in.payload = rtp(chains ? 1 : 2, 1001);  // no recycled buffer holds it
    worker.receive(in.bytes());
    ASSERT_EQ(worker.port.sent.size(), 3u);
    for (std::size_t o = 0; o < 3; ++o) {
      EXPECT_EQ(worker.port.sent[o], expected(in, wanted[o], 0)) << o << chains;
    }
  }
}

TEST_F(PipelineBytesTest, what_may_not_leave_is_named) {
  spec.streams[0].outputs[0].ttl = 0;
  spec.ports[0].mtu = 1000;
  OneWorker worker(spec, pool(), false);
  Frame in;
  in.ttl = 1;
  in.payload = rtp(1, 20);
  worker.receive(in.bytes());
  EXPECT_EQ(worker.dropped(DropReason::TtlExpired), 1u);
  in.ttl = 2;
  in.payload = rtp(2, 973);
  worker.receive(in.bytes());
  EXPECT_EQ(worker.dropped(DropReason::Mtu), 1u);
  in.payload = rtp(3, 972);
  worker.receive(in.bytes());
  EXPECT_EQ(worker.port.sent.size(), 1u);
  EXPECT_TRUE(worker.counters().ledger.balances());
}

TEST_F(PipelineBytesTest, a_zero_destination_is_no_feed) {
  OneWorker worker(spec, pool(), false);
  Frame in;
  in.destination = {0, 0, 0, 0};
  in.destination_port = 0;
  worker.receive(in.bytes());
  EXPECT_EQ(worker.dropped(DropReason::NoFeed), 1u);
}

// With k packets left in the pool every copy that cannot be made is counted and nothing leaks.
TEST_F(PipelineBytesTest, an_empty_pool_costs_copies_and_no_more) {
  for (std::size_t o = 1; o < 16; ++o) {
    spec.streams[0].outputs.push_back(output("239.9.0.1:6000", "10.0.0.9"));
  }
  for (const bool chains : {false, true}) {
    for (unsigned left = 0; left <= 50; ++left) {
      OneWorker worker(spec, pool(), chains);
      Frame in;
      std::vector<rte_mbuf*> burst;
      for (unsigned i = 0; i < 3; ++i) {
        in.payload = rtp(i, 400);
        burst.push_back(one_segment(pool(), in.bytes()));
      }
      std::vector<rte_mbuf*> taken;
      while (rte_mempool_avail_count(pool()) > left) taken.push_back(rte_pktmbuf_alloc(pool()));
      worker.receive(burst);
      const Snapshot seen = worker.counters();
      const auto failed = seen.drops[static_cast<std::size_t>(DropReason::CopyFailed)];
      unsigned made = 0;
      unsigned buffers = left;
      for (unsigned i = 0; i < 3; ++i) {
        const unsigned now = std::min(chains ? 16u : 15u, buffers);
        buffers -= now;
        made += chains ? now : now + 1;     // the last output needs no copy
        if (chains && now == 0) ++buffers;  // nobody shares it: back at once
      }
      EXPECT_EQ(failed, 48 - made) << left << chains;
      EXPECT_EQ(worker.port.sent.size(), made);
      EXPECT_TRUE(seen.ledger.balances()) << left << chains;
      for (rte_mbuf* packet : taken) rte_pktmbuf_free(packet);
      ASSERT_EQ(pool_->in_use(), 0u);
    }
  }
}

// 200 000 frames with bytes changed or cut off. What the parser and the spec say of each, with no
// short way taken, is what became of it.
TEST_F(PipelineBytesTest, damaged_frames_end_where_the_parser_says) {
  std::mt19937 random(1);
  spec.streams.pop_back();
  spec.streams[0].failover.max_skew = Nanoseconds{1'000'000};
  OneWorker worker(spec, pool(), false);
  worker.port.keep = false;
  const IpAddress group = IpAddress::parse("239.1.0.1").value();
  std::uint64_t fed = 0;
  std::uint64_t frames = 0;
  for (unsigned i = 0; i < 200'000; ++i) {
    Frame in;
    in.payload = rtp(i & 0xffff, 12 + random() % 40);
    if (i % 5 == 0) in.tags = {{0x8100, random() % 2}};
    if (i % 7 == 0) in.options = Bytes(4 * (random() % 11), 1);
    in.padding = Bytes(random() % 3 * 4, 0);
    Bytes frame = in.bytes();
    for (unsigned n = random() % 4; n > 0; --n) {
      frame[random() % 46] = static_cast<std::uint8_t>(random());
    }
    if (random() % 2 == 0 && in.tags.empty() && (frame[14] & 15) < 8) resum_ip4(frame);
    if (random() % 8 == 0) frame.resize(random() % frame.size());
    PacketLayout layout;
    const ParseVerdict verdict = parse_packet(as_span(frame), {}, layout);
    const bool ours = verdict == ParseVerdict::Udp && layout.tags.count() == 0 &&
                      layout.destination == group && layout.destination_port == 5000;
    worker.receive(frame);
    fed += ours ? 1 : 0;
    ++frames;
    if (i % 64 != 0) continue;
    const Snapshot seen = worker.counters();
    std::uint64_t stopped = 0;
    for (std::size_t r = 0; r < static_cast<std::size_t>(DropReason::PuntPoliced); ++r) {
      stopped += seen.drops[r];
    }
    ASSERT_EQ(frames - stopped, fed) << i;
    ASSERT_TRUE(seen.ledger.balances()) << i;
  }
  EXPECT_GT(fed, 50'000u);
  EXPECT_LT(fed, 150'000u);
}

}  // namespace
}  // namespace castgate::test
