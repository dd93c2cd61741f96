// SPDX-License-Identifier: Apache-2.0
// classify has a short way for the usual frame; it may be nothing but shorter.
#include <bit>
#include <random>

#include "tests/support/classify_lab.h"

namespace castgate {
namespace {

using test::Bytes;
using test::Frame;

// What a frame became: a packet with its tag, here or with another worker, or why it ended.
struct Verdict {
  std::optional<DropReason> drop;
  std::optional<unsigned> handed_to;
  std::uint64_t tag = 0;
  unsigned length = 0;
  unsigned segments = 0;
  Bytes bytes;
  bool operator==(const Verdict&) const = default;
};

class ClassifyWaysTest : public test::ClassifyLab {
 protected:
  // One stream more, whose group is also that of an output of ours.
  ClassifyWaysTest() {
    add_stream("239.1.0.3:5000", std::nullopt);
    workers_.push_back(0);
    OutputSpec& output = spec_.streams.back().outputs.emplace_back();
    output.to = Endpoint::parse("239.1.0.3:5000").value();
    output.source = IpAddress::parse("10.0.0.6").value();
  }
  std::uint64_t below(std::uint64_t end) { return random_() % end; }

  Verdict verdict(rte_mbuf* frame) {
    kept_.seen.clear();
    exits_.handed.clear();
    receive(0, frame);
    const std::size_t left = kept_.seen.size() + exits_.handed.size();
    Verdict made{.drop = new_drop(0), .bytes = {}};
    EXPECT_EQ(left, made.drop ? 0u : 1u);
    if (left == 0) return made;
    if (kept_.seen.empty()) made.handed_to = exits_.handed[0].worker;
    const auto& packet = made.handed_to ? exits_.handed[0].packet : kept_.seen[0];
    made.tag = std::bit_cast<std::uint64_t>(packet.tag);
    made.length = packet.length;
    made.segments = packet.segments;
    made.bytes = packet.bytes;
    return made;
  }

  Bytes good_frame() {
    Frame frame;
    frame.destination[3] = static_cast<std::uint8_t>(1 + below(4));  // the last is nobody's
    frame.to_mac[5] = frame.destination[3];
    frame.source[3] = static_cast<std::uint8_t>(6 + below(2));
    frame.ttl = static_cast<unsigned>(below(3));
    frame.udp_sum = below(4) != 0;
    frame.payload = Bytes(below(40), 0xab);
    frame.padding = Bytes(below(2) * below(20), 0);
    if (below(8) == 0) frame.options = Bytes(4 * below(4), 1);
    return frame.bytes();
  }

  // Up to two bytes behind the MACs are wrong, mostly of the headers; the header's checksum is
  // right again or not; some frames end early.
  void spoil(Bytes& bytes) {
    for (auto wrong = below(4); wrong > 1; --wrong) {
      const std::size_t reach = below(4) == 0 ? bytes.size() : 46;
      const std::size_t at = 12 + below(std::min(bytes.size(), reach) - 12);
      bytes[at] = static_cast<std::uint8_t>(below(4) == 0 ? random_() : bytes[at] ^ 1u << below(8));
    }
    if (below(2) == 0 && (bytes[14] & 15) == 5) test::resum_ip4(bytes);
    if (below(16) == 0) bytes.resize(below(bytes.size() - 1) + 2);
  }

  // Frames of several pieces never go the short way.
  void compare(unsigned frames) {
    unsigned delivered = 0;
    std::array<unsigned, kDropReasons> dropped{};
    for (unsigned turn = 0; turn < frames; ++turn) {
      Bytes bytes = good_frame();
      spoil(bytes);
      const Verdict one = verdict(test::one_segment(pool(), bytes));
      const Verdict other = verdict(in_pieces(bytes, {1 + below(bytes.size() - 1)}));
      ASSERT_TRUE(one == other) << "turn " << turn << ": tags " << one.tag << " and " << other.tag
                                << ", lengths " << one.length << " and " << other.length;
      delivered += one.drop ? 0 : 1;
      if (one.drop) ++dropped[static_cast<std::size_t>(*one.drop)];
    }
    EXPECT_GT(delivered, frames / 5);
    EXPECT_LT(delivered, frames / 5 * 4);
    for (const DropReason reason : expected_) {
      EXPECT_GT(dropped[static_cast<std::size_t>(reason)], 0u)
          << "reason " << static_cast<int>(reason);
    }
  }

  std::mt19937_64 random_{20261121};
  // Each must come up, or the frames are too tame to tell the ways apart.
  std::vector<DropReason> expected_{
      DropReason::Runt,        DropReason::NotIp,       DropReason::NotUdp,
      DropReason::IpBadHeader, DropReason::IpTruncated, DropReason::IpChecksum,
      DropReason::UdpLength,   DropReason::Fragment,    DropReason::Ttl,
      DropReason::NoFeed,      DropReason::OwnSource};
};

TEST_F(ClassifyWaysTest, short_way_and_long_way_agree_on_every_frame) {
  compare(40'000);
}

TEST_F(ClassifyWaysTest, they_agree_where_udp_checksums_are_verified) {
  spec_.ports[0].verify.udp_checksum = true;
  expected_.push_back(DropReason::UdpChecksum);
  compare(40'000);
}

}  // namespace
}  // namespace castgate
