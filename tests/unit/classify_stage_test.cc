// SPDX-License-Identifier: Apache-2.0
// classify alone: frames in many pieces, what a port verifies, and the short way against the long.
#include "dataplane/classify/classify_stage.h"

#include <random>

#include "tests/support/packets.h"
#include "tests/support/quiet_eal.h"

namespace castgate {
namespace {

using test::Bytes;
using test::Frame;

// Keeps what comes: the tag and the bytes up to the end of the UDP payload.
class Kept final : public Stage {
 public:
  void process(std::span<rte_mbuf* const> burst, Instant /*now*/) noexcept override {
    for (rte_mbuf* packet : burst) {
      seen.push_back({tag_of(packet), test::bytes_of(packet), packet->nb_segs});
      rte_pktmbuf_free(packet);
    }
  }
  struct Packet {
    PacketTag tag;
    Bytes bytes;
    unsigned segments;
  };
  std::vector<Packet> seen;
};

class Exits final : public ClassifyExits {
 public:
  bool hand_over(rte_mbuf* packet, unsigned worker) noexcept override {
    handed.push_back({worker, tag_of(packet), test::bytes_of(packet)});
    rte_pktmbuf_free(packet);
    return true;
  }
  bool punt(rte_mbuf*, unsigned, HostKind, Instant) noexcept override { return false; }
  struct Packet {
    unsigned worker;
    PacketTag tag;
    Bytes bytes;
  };
  std::vector<Packet> handed;
};

class ClassifyStageTest : public test::DriverTest {
 protected:
  // Ports 0 and 1 have the same legs; port 1 compares MACs.
  ClassifyStageTest() {
    spec_.ports.resize(2);
    spec_.ports[1].verify.mac = true;
    spec_.appliance.max_frame = 9018;
    add_stream("239.1.0.1:5000", std::nullopt);
    add_stream("239.1.0.1:5000", IpAddress::parse("10.0.0.7").value());
    add_stream("239.1.0.2:5000", std::nullopt);
  }
  void add_stream(const char* to, std::optional<IpAddress> from) {
    StreamSpec& stream = spec_.streams.emplace_back();
    for (const unsigned port : {0u, 1u}) {
      stream.legs.push_back({"L", port, {}, from, Endpoint::parse(to).value()});
    }
  }
  void build() {
    flows_.emplace(spec_, std::vector<std::uint8_t>{0, 0, 1});
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
  void receive(unsigned port, const Bytes& frame) {
    receive(port, test::one_segment(pool(), frame));
  }
  // The frame in pieces that end at `cuts`.
  rte_mbuf* in_pieces(const Bytes& frame, std::vector<std::size_t> cuts) {
    cuts.push_back(frame.size());
    rte_mbuf* whole = nullptr;
    for (std::size_t i = cuts.size(); i-- > 0;) {
      const auto from = static_cast<std::ptrdiff_t>(i == 0 ? 0 : cuts[i - 1]);
      const Bytes piece(frame.begin() + from, frame.begin() + static_cast<std::ptrdiff_t>(cuts[i]));
      whole =
          whole == nullptr ? test::one_segment(pool(), piece) : test::chain(pool(), piece, whole);
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
  Kept kept_;
  Exits exits_;
  std::optional<FlowTable> flows_;
  std::optional<PacketPool> frames_;  // for those that came in pieces
  std::optional<ClassifyStage> stage_;
  std::array<std::array<std::uint64_t, kDropReasons>, 2> counted_{};
};

TEST_F(ClassifyStageTest, jumbo_frame_in_five_pieces_is_one_packet) {
  Frame frame;
  frame.payload = test::pattern(8900);
  const Bytes bytes = frame.bytes();
  receive(0, in_pieces(bytes, {2048, 4096, 6144, 8192}));
  ASSERT_EQ(kept_.seen.size(), 1u);
  EXPECT_EQ(kept_.seen[0].bytes, bytes);
  EXPECT_EQ(kept_.seen[0].segments, 1u);
}

TEST_F(ClassifyStageTest, headers_split_anywhere_are_read) {
  const Bytes bytes = Frame().bytes();
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) receive(0, in_pieces(bytes, {cut}));
  ASSERT_EQ(kept_.seen.size(), bytes.size() - 1);
  for (const auto& packet : kept_.seen) ASSERT_EQ(packet.bytes, bytes);
}

TEST_F(ClassifyStageTest, frame_over_max_frame_is_too_big_in_one_piece_or_many) {
  spec_.appliance.max_frame = 1518;
  Frame frame;
  frame.payload = Bytes(1518 - 42, 1);
  receive(0, frame.bytes());
  frame.payload.push_back(1);
  receive(0, frame.bytes());
  receive(0, in_pieces(frame.bytes(), {700, 1400}));
  EXPECT_EQ(kept_.seen.size(), 1u);
  EXPECT_EQ(drops(0, DropReason::TooBig), 2u);
}

TEST_F(ClassifyStageTest, pieces_without_a_buffer_to_join_them_are_dropped_by_name) {
  Frame frame;
  frame.payload = test::pattern(3000);  // more than the first piece's buffer has room for
  build();
  std::vector<rte_mbuf*> all;
  while (rte_mbuf* taken = rte_pktmbuf_alloc(frames_->get())) all.push_back(taken);
  receive(0, in_pieces(frame.bytes(), {1500}));
  EXPECT_EQ(drops(0, DropReason::NoBuffer), 1u);
  for (rte_mbuf* taken : all) rte_pktmbuf_free(taken);
  receive(0, in_pieces(frame.bytes(), {1500}));
  EXPECT_EQ(kept_.seen.size(), 1u) << "it recovers by itself";
}

TEST_F(ClassifyStageTest, mac_of_another_group_matters_only_where_it_is_verified) {
  Frame frame;
  frame.to_mac[5] = 9;
  receive(0, frame.bytes());
  receive(1, frame.bytes());
  EXPECT_EQ(kept_.seen.size(), 1u);
  EXPECT_EQ(drops(1, DropReason::MacMismatch), 1u);
}

TEST_F(ClassifyStageTest, udp_checksum_matters_only_where_it_is_verified) {
  spec_.ports[0].verify.udp_checksum = true;
  Frame frame;
  Bytes wrong = frame.bytes();
  wrong.back() ^= 1;
  frame.udp_sum = false;
  receive(0, Frame().bytes());
  receive(0, wrong);
  receive(0, frame.bytes());  // none is no wrong one over IPv4
  receive(1, wrong);
  EXPECT_EQ(kept_.seen.size(), 3u);
  EXPECT_EQ(drops(0, DropReason::UdpChecksum), 1u);
}

TEST_F(ClassifyStageTest, leg_with_a_source_comes_before_the_one_without) {
  Frame frame;
  receive(0, frame.bytes());
  frame.source = {10, 0, 0, 7};
  receive(0, frame.bytes());
  ASSERT_EQ(kept_.seen.size(), 2u);
  EXPECT_EQ(kept_.seen[0].tag.stream, 0u);
  EXPECT_EQ(kept_.seen[1].tag.stream, 1u);
}

// What a packet became: the stream and leg that it is of, or why it ended.
struct Verdict {
  std::optional<DropReason> drop;
  std::uint16_t stream = 0xffff;
  unsigned worker = 0;
  Bytes bytes;
  bool operator==(const Verdict&) const = default;
};

TEST_F(ClassifyStageTest, short_way_and_long_way_agree_on_every_frame) {
  build();
  std::mt19937_64 random(20261121);
  const auto below = [&](std::uint64_t end) { return random() % end; };
  const auto verdict = [&](rte_mbuf* frame) {
    kept_.seen.clear();
    exits_.handed.clear();
    receive(0, frame);
    Verdict made{.drop = new_drop(0), .bytes = {}};
    for (const auto& packet : kept_.seen) made = {{}, packet.tag.stream, 0, packet.bytes};
    for (const auto& packet : exits_.handed) {
      made = {{}, packet.tag.stream, packet.worker, packet.bytes};
    }
    return made;
  };
  unsigned delivered = 0;
  for (unsigned turn = 0; turn < 40'000; ++turn) {
    Frame frame;
    frame.destination[3] = static_cast<std::uint8_t>(1 + below(3));
    frame.to_mac[5] = frame.destination[3];
    frame.source[3] = static_cast<std::uint8_t>(6 + below(2));
    frame.ttl = static_cast<unsigned>(below(3));
    frame.payload = Bytes(below(40), 0xab);
    frame.padding = Bytes(below(2) * below(20), 0);
    if (below(8) == 0) frame.options = Bytes(4 * below(4), 1);
    Bytes bytes = frame.bytes();
    // Anything behind the MACs may be wrong, with the header's checksum right again or not.
    for (auto wrong = below(4); wrong > 1; --wrong) {
      const std::size_t at = 12 + below(std::min<std::size_t>(bytes.size() - 12, 34));
      bytes[at] = static_cast<std::uint8_t>(below(4) == 0 ? random() : bytes[at] ^ 1u << below(8));
    }
    if (below(2) == 0 && (bytes[14] & 15) == 5) test::resum_ip4(bytes);
    if (below(16) == 0) bytes.resize(below(bytes.size() - 1) + 2);
    const Verdict one = verdict(test::one_segment(pool(), bytes));
    const Verdict other = verdict(in_pieces(bytes, {bytes.size() / 2}));  // never the short way
    ASSERT_TRUE(one == other) << "turn " << turn << ": stream " << one.stream << " and "
                              << other.stream;
    ASSERT_TRUE(one.drop.has_value() != (one.stream != 0xffff));
    delivered += one.stream != 0xffff ? 1 : 0;
  }
  EXPECT_GT(delivered, 8'000u);
  EXPECT_LT(delivered, 32'000u);
}

TEST_F(ClassifyStageTest, packet_of_another_workers_stream_is_handed_over_by_the_short_way) {
  Frame frame;
  frame.destination = {239, 1, 0, 2};
  frame.to_mac[5] = 2;
  receive(0, frame.bytes());
  ASSERT_EQ(exits_.handed.size(), 1u);
  EXPECT_EQ(exits_.handed[0].worker, 1u);
  EXPECT_EQ(exits_.handed[0].tag.stream, 2u);
  EXPECT_EQ(exits_.handed[0].bytes, frame.bytes());
}

}  // namespace
}  // namespace castgate
