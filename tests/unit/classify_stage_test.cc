// SPDX-License-Identifier: Apache-2.0
// classify alone: frames in many pieces, and what a port verifies.
#include "tests/support/classify_lab.h"

namespace castgate {
namespace {

using test::Bytes;
using test::Frame;

class ClassifyStageTest : public test::ClassifyLab {};

TEST_F(ClassifyStageTest, jumbo_frame_in_five_pieces_is_one_packet) {
  Frame frame;
  frame.payload = test::pattern(8900);
  const Bytes bytes = frame.bytes();
  receive(0, in_pieces(bytes, {2048, 4095, 6000, 7001}));
  ASSERT_EQ(kept_.seen.size(), 1u);
  EXPECT_EQ(kept_.seen[0].bytes, bytes);
  EXPECT_EQ(kept_.seen[0].length, bytes.size());
  EXPECT_EQ(kept_.seen[0].segments, 1u);
}

TEST_F(ClassifyStageTest, headers_split_anywhere_are_read) {
  const Bytes bytes = Frame().bytes();
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) receive(0, in_pieces(bytes, {cut}));
  ASSERT_EQ(kept_.seen.size(), bytes.size() - 1);
  for (const auto& packet : kept_.seen) ASSERT_EQ(packet.bytes, bytes);
}

TEST_F(ClassifyStageTest, padding_is_cut_off_wherever_it_lies) {
  const Bytes bytes = Frame().bytes();
  Frame frame;
  frame.padding = Bytes(18, 0xee);
  const Bytes padded = frame.bytes();
  receive(0, padded);
  receive(1, padded);
  for (std::size_t cut = bytes.size(); cut < padded.size(); ++cut) {
    receive(0, in_pieces(padded, {cut}));
  }
  ASSERT_EQ(kept_.seen.size(), 20u);
  for (const auto& packet : kept_.seen) {
    ASSERT_EQ(packet.bytes, bytes);
    ASSERT_EQ(packet.length, bytes.size());
    ASSERT_EQ(packet.segments, 1u);
  }
}

TEST_F(ClassifyStageTest, tag_tells_the_leg_and_where_the_headers_lie) {
  Frame frame;
  receive(0, frame.bytes());
  receive(1, frame.bytes());
  frame.options = Bytes(8, 1);
  receive(0, frame.bytes());
  ASSERT_EQ(kept_.seen.size(), 3u);
  const std::array<unsigned, 3> legs{1, 0, 1};
  const std::array<unsigned, 3> udp_at{34, 34, 42};
  for (std::size_t i = 0; i < 3; ++i) {
    const PacketTag& tag = kept_.seen[i].tag;
    EXPECT_EQ(tag.stream, 0u);
    EXPECT_EQ(tag.leg, legs[i]) << i;
    EXPECT_EQ(tag.worker, 0u);
    EXPECT_EQ(tag.l3_at, 14u) << i;
    EXPECT_EQ(tag.udp_at, udp_at[i]) << i;
    EXPECT_EQ(tag.flags, 0u) << i;
  }
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

TEST_F(ClassifyStageTest, packet_of_another_workers_stream_is_handed_over_by_the_short_way) {
  Frame frame;
  frame.destination = {239, 1, 0, 2};
  frame.to_mac[5] = 2;
  receive(0, frame.bytes());
  ASSERT_EQ(exits_.handed.size(), 1u);
  EXPECT_EQ(exits_.handed[0].worker, 1u);
  EXPECT_EQ(exits_.handed[0].packet.tag.stream, 2u);
  EXPECT_EQ(exits_.handed[0].packet.bytes, frame.bytes());
}

}  // namespace
}  // namespace castgate
