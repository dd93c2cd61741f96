// SPDX-License-Identifier: Apache-2.0
// How far away peers are, by the packets that open their connections.
#include <gtest/gtest.h>

#include "controlplane/clients/peer_ttls.h"
#include "tests/support/packets.h"

namespace castgate {
namespace {

constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kAck = 0x10;

test::Frame tcp(std::uint8_t flags, unsigned ttl) {
  test::Frame frame;
  frame.protocol = 6;
  frame.ttl = ttl;
  frame.source = {10, 9, 0, 7};
  frame.payload = test::Bytes(20, 0);  // behind eight bytes of what is TCP here
  frame.payload[5] = flags;
  return frame;
}

class PeerTtlsTest : public testing::Test {
 protected:
  void note(const test::Frame& frame) {
    const test::Bytes bytes = frame.bytes();
    ttls_.note(std::as_bytes(std::span(bytes)));
  }
  unsigned of(const char* address) const { return ttls_.of(IpAddress::parse(address).value()); }

  PeerTtls ttls_;
};

TEST_F(PeerTtlsTest, what_opens_a_connection_tells_its_ttl) {
  EXPECT_EQ(of("10.9.0.7"), 0u);
  note(tcp(kSyn, 61));
  EXPECT_EQ(of("10.9.0.7"), 61u);
  EXPECT_EQ(of("10.9.0.8"), 0u);
  note(tcp(kSyn, 58));
  EXPECT_EQ(of("10.9.0.7"), 58u);
}

TEST_F(PeerTtlsTest, tags_options_and_hop_limits_are_read) {
  test::Frame tagged = tcp(kSyn, 60);
  tagged.tags = {{0x88a8, 100}, {0x8100, 43}};
  tagged.options = test::Bytes(8, 1);
  note(tagged);
  EXPECT_EQ(of("10.9.0.7"), 60u);
  test::Frame six = tcp(kSyn, 255);
  six.v6 = true;
  six.source = test::Bytes{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
  six.destination = test::Bytes{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  note(six);
  EXPECT_EQ(of("2001:db8::7"), 255u);
}

TEST_F(PeerTtlsTest, nothing_else_is_believed) {
  note(tcp(kAck, 61));
  note(tcp(kSyn | kAck, 61));
  test::Frame udp = tcp(kSyn, 61);
  udp.protocol = 17;
  note(udp);
  EXPECT_EQ(of("10.9.0.7"), 0u);
}

TEST_F(PeerTtlsTest, frame_cut_at_any_place_is_no_syn) {
  const test::Bytes whole = tcp(kSyn, 61).bytes();
  for (std::size_t length = 0; length < 14 + 20 + 14; ++length) {
    ttls_.note(std::as_bytes(std::span(whole).first(length)));
    ASSERT_EQ(of("10.9.0.7"), 0u) << length;
  }
  ttls_.note(std::as_bytes(std::span(whole).first(14 + 20 + 14)));
  EXPECT_EQ(of("10.9.0.7"), 61u);
}

TEST_F(PeerTtlsTest, more_peers_than_it_keeps_take_no_more_memory) {
  for (std::size_t n = 0; n <= PeerTtls::kMost; ++n) {
    test::Frame frame = tcp(kSyn, 61);
    frame.source = {10, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
                    static_cast<std::uint8_t>(n)};
    note(frame);
  }
  EXPECT_EQ(of("10.0.0.0"), 0u);
  EXPECT_EQ(of("10.1.0.0"), 61u);
}

}  // namespace
}  // namespace castgate
