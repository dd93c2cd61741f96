// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/packet/parse.h"

#include <random>

#include <gtest/gtest.h>

#include "dataplane/base/checksum.h"
#include "tests/support/packets.h"

namespace castgate::test {
namespace {

struct Parsed {
  ParseVerdict verdict;
  PacketLayout layout;
};

Parsed parse(const Bytes& frame, bool udp_sum = false) {
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): reading past its end is seen.
  const Bytes exact(frame);
  Parsed made;
  made.verdict = parse_packet(as_span(exact), {.udp_checksum = udp_sum}, made.layout);
  return made;
}
ParseVerdict verdict(const Bytes& frame) {
  return parse(frame).verdict;
}
ParseVerdict patched(std::size_t at, unsigned value) {
  Bytes frame = Frame{}.bytes();
  frame[at] = static_cast<std::uint8_t>(value);
  resum_ip4(frame);
  return verdict(frame);
}
Frame extended(const Bytes& extensions, unsigned first) {
  Frame made = frame6();
  made.extensions = extensions;
  made.protocol = first;
  return made;
}

TEST(Parse, a_plain_datagram_gives_its_layout) {
  const auto [verdict, layout] = parse(Frame{}.bytes(), true);
  EXPECT_EQ(verdict, ParseVerdict::Udp);
  EXPECT_EQ(layout.l3_at, 14);
  EXPECT_EQ(layout.udp_at, 34);
  EXPECT_EQ(layout.end, 62u);
  EXPECT_EQ(layout.source.to_string(), "10.0.0.1");
  EXPECT_EQ(layout.destination.to_string(), "239.1.0.1");
  EXPECT_EQ(layout.source_port, 4000);
  EXPECT_EQ(layout.destination_port, 5000);
}

TEST(Parse, frames_shorter_than_ethernet_or_a_tag_are_runts) {
  for (std::size_t length = 0; length < 14; ++length) {
    EXPECT_EQ(verdict(Bytes(length)), ParseVerdict::Runt) << length;
  }
  Frame tagged;
  tagged.tags = {{0x8100, 43}};
  Bytes frame = tagged.bytes();
  frame.resize(17);
  EXPECT_EQ(verdict(frame), ParseVerdict::Runt);
}

TEST(Parse, every_cut_of_a_frame_is_refused) {
  for (const Bytes& whole : {Frame{}.bytes(), frame6().bytes()}) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
      EXPECT_NE(verdict(Bytes(whole.begin(), whole.begin() + static_cast<long>(length))),
                ParseVerdict::Udp)
          << length;
    }
  }
}

TEST(Parse, bad_ip4_headers_are_told_apart) {
  EXPECT_EQ(patched(14, 0x55), ParseVerdict::IpBadHeader);
  EXPECT_EQ(patched(14, 0x44), ParseVerdict::IpBadHeader);
  EXPECT_EQ(patched(17, 19), ParseVerdict::IpBadHeader);
  EXPECT_EQ(patched(17, 49), ParseVerdict::IpTruncated);
  EXPECT_EQ(patched(22, 0), ParseVerdict::Ttl);
  EXPECT_EQ(patched(23, 6), ParseVerdict::NotUdp);
  EXPECT_EQ(patched(23, 1), ParseVerdict::Host);
  EXPECT_EQ(patched(23, 2), ParseVerdict::Host);
  Bytes wrong = Frame{}.bytes();
  wrong[24] ^= 1;
  EXPECT_EQ(verdict(wrong), ParseVerdict::IpChecksum);
}

TEST(Parse, any_fragment_is_one) {
  for (const unsigned flags : {0x2000u, 0x0001u, 0x1fffu, 0x6000u}) {
    Frame frame;
    frame.fragment = flags;
    EXPECT_EQ(verdict(frame.bytes()), ParseVerdict::Fragment) << flags;
  }
  EXPECT_EQ(verdict(extended(Bytes(8), 44).bytes()), ParseVerdict::Fragment);
}

TEST(Parse, ip4_options_are_stepped_over) {
  for (std::size_t length = 4; length <= 40; length += 4) {
    Frame frame;
    frame.options = Bytes(length, 1);
    const auto [verdict, layout] = parse(frame.bytes(), true);
    EXPECT_EQ(verdict, ParseVerdict::Udp);
    EXPECT_TRUE(layout.has_ip_options);
    EXPECT_EQ(layout.udp_at, 34 + length);
    EXPECT_EQ(layout.destination_port, 5000);
  }
}

TEST(Parse, esp_tells_its_spi_where_all_of_it_is_there) {
  for (const bool v6 : {false, true}) {
    Frame frame = v6 ? frame6() : Frame{};
    frame.protocol = 50;
    frame.source_port = 0x1234;  // which stand where the SPI is
    frame.destination_port = 0x5678;
    frame.padding = Bytes(9);
    const auto [verdict, layout] = parse(frame.bytes());
    EXPECT_EQ(verdict, ParseVerdict::Esp);
    EXPECT_EQ(layout.spi, 0x12345678u);
    EXPECT_EQ(layout.udp_at, (v6 ? 54 : 34) - 8);
    EXPECT_EQ(layout.end + 9, frame.bytes().size());
    EXPECT_EQ(layout.destination_port, 0);
    Bytes cut = frame.bytes();
    set16(cut, v6 ? 18 : 16, v6 ? 3 : 23);
    if (!v6) resum_ip4(cut);
    EXPECT_EQ(parse(cut).verdict, ParseVerdict::NotUdp);
  }
}

TEST(Parse, padding_is_outside_the_layout) {
  Frame frame;
  frame.payload = Bytes(3, 7);
  frame.padding = Bytes(15, 0xee);
  EXPECT_EQ(parse(frame.bytes(), true).layout.end, 45u);
}

TEST(Parse, udp_length_must_fit_its_ip_packet) {
  for (const unsigned length : {0u, 7u, 29u, 0xffffu}) {
    Bytes frame = Frame{}.bytes();
    set16(frame, 38, length);
    EXPECT_EQ(verdict(frame), ParseVerdict::UdpLength) << length;
  }
  Bytes shorter = Frame{}.bytes();
  set16(shorter, 38, 8);
  EXPECT_EQ(parse(shorter).layout.end, 42u);
}

TEST(Parse, udp_checksum_is_looked_at_when_asked_for) {
  Bytes frame = Frame{}.bytes();
  frame.back() ^= 0x10;
  EXPECT_EQ(parse(frame).verdict, ParseVerdict::Udp);
  EXPECT_EQ(parse(frame, true).verdict, ParseVerdict::UdpChecksum);
  set16(frame, 40, 0);
  EXPECT_EQ(parse(frame, true).verdict, ParseVerdict::Udp);
  Frame unsummed = frame6();
  unsummed.udp_sum = false;
  EXPECT_EQ(verdict(unsummed.bytes()), ParseVerdict::Udp6ZeroChecksum);
  Bytes wrong = frame6().bytes();
  wrong.back() ^= 1;
  EXPECT_EQ(parse(wrong, true).verdict, ParseVerdict::UdpChecksum);
}

TEST(Parse, one_or_two_tags_and_no_more) {
  for (const unsigned type : {0x8100u, 0x88a8u, 0x9100u}) {
    Frame frame;
    frame.tags = {{type, 0xe000 | 43}};  // priority bits are not the VLAN's
    EXPECT_EQ(parse(frame.bytes()).layout.tags, (VlanTags{43, 0}));
    frame.tags = {{type, 100}, {0x8100, 43}};
    const auto [verdict, layout] = parse(frame.bytes(), true);
    EXPECT_EQ(verdict, ParseVerdict::Udp);
    EXPECT_EQ(layout.tags, (VlanTags{100, 43}));
    EXPECT_EQ(layout.udp_at, 42);
    frame.tags.emplace_back(0x8100, 7);
    EXPECT_EQ(parse(frame.bytes()).verdict, ParseVerdict::VlanDepth);
  }
}

TEST(Parse, a_priority_tag_names_no_vlan) {
  Frame frame;
  frame.tags = {{0x8100, 0xa000}};
  EXPECT_EQ(parse(frame.bytes()).layout.tags, VlanTags{});
  frame.tags = {{0x8100, 0xa000}, {0x8100, 43}};  // the VLAN stands behind it
  EXPECT_EQ(parse(frame.bytes()).layout.tags, (VlanTags{43, 0}));
}

TEST(Parse, ip6_extensions_are_walked_up_to_their_limits) {
  Bytes eight;
  for (unsigned i = 0; i < 8; ++i)
    append(eight, {i == 7 ? std::uint8_t{17} : std::uint8_t{60}, 0, 0, 0, 0, 0, 0, 0});
  const auto [fits, layout] = parse(extended(eight, 0).bytes(), true);
  EXPECT_EQ(fits, ParseVerdict::Udp);
  EXPECT_EQ(layout.udp_at, 14 + 40 + 64);
  Bytes nine{60, 0, 0, 0, 0, 0, 0, 0};
  append(nine, eight);
  EXPECT_EQ(verdict(extended(nine, 43).bytes()), ParseVerdict::Ip6ExtensionLimit);
  Bytes longest(256);
  longest[0] = 17;
  longest[1] = 31;
  EXPECT_EQ(verdict(extended(longest, 60).bytes()), ParseVerdict::Udp);
  Bytes longer(264);
  longer[0] = 17;
  longer[1] = 32;
  EXPECT_EQ(verdict(extended(longer, 60).bytes()), ParseVerdict::Ip6ExtensionLimit);
  EXPECT_EQ(verdict(extended({17, 200, 0, 0, 0, 0, 0, 0}, 60).bytes()),
            ParseVerdict::Ip6ExtensionTruncated);
  EXPECT_EQ(verdict(extended({58, 0, 5, 2, 0, 0, 1, 0}, 0).bytes()), ParseVerdict::Host);
}

// 200 000 headers, right ones and ones with a bit turned, against the sum byte by byte.
TEST(Parse, errors_are_told_from_other_icmp) {
  const auto kind = [](Frame frame, unsigned protocol, unsigned type) {
    frame.protocol = protocol;
    Bytes bytes = frame.bytes();
    bytes[frame.v6 ? 54 : 34] = static_cast<std::uint8_t>(type);
    const Parsed parsed = parse(bytes);
    EXPECT_EQ(parsed.verdict, ParseVerdict::Host);
    return parsed.layout.host;
  };
  for (unsigned type = 0; type < 256; ++type) {
    const bool is_error = type == 3;  // destination unreachable; fragmentation needed is one
    EXPECT_EQ(kind(Frame{}, 1, type), is_error ? HostKind::IcmpError : HostKind::Icmp) << type;
    EXPECT_EQ(kind(Frame{}, 2, type), HostKind::Igmp) << type;
    const bool is_error6 = type == 1 || type == 2;  // destination unreachable, packet too big
    EXPECT_EQ(kind(frame6(), 58, type), is_error6 ? HostKind::IcmpError : HostKind::NeighbourOrMld)
        << type;
  }
}

TEST(Parse, tcp_to_a_station_is_the_host_stacks) {
  for (const bool v6 : {false, true}) {
    Frame frame = v6 ? frame6() : Frame{};
    frame.protocol = 6;
    EXPECT_EQ(parse(frame.bytes()).verdict, ParseVerdict::NotUdp) << "to a group";
    frame.destination[0] = v6 ? 0x20 : 10;
    const Parsed parsed = parse(frame.bytes());
    EXPECT_EQ(parsed.verdict, ParseVerdict::Host);
    EXPECT_EQ(parsed.layout.host, HostKind::Tcp);
  }
}

TEST(Parse, both_checksum_tests_agree_with_rfc_1071) {
  std::mt19937 random(7);
  for (int i = 0; i < 200'000; ++i) {
    Bytes header(20);
    for (auto& byte : header) byte = static_cast<std::uint8_t>(random());
    if (i % 2 == 0) {
      set16(header, 10, 0);
      set16(header, 10, slow_checksum(header));
    }
    if (i % 4 == 0) header[random() % 20] ^= static_cast<std::uint8_t>(1u << random() % 8);
    const bool right = slow_checksum(header) == 0;
    ASSERT_EQ(ip_header_sums_up(header.data()), right);
    ASSERT_EQ(fold_sum(ones_sum(header.data(), 20)) == 0xffff, right);
  }
}

TEST(Parse, the_largest_sum_of_a_header_is_a_right_one) {
  Bytes header(8, 0xff);
  header.resize(20);
  ASSERT_EQ(slow_checksum(header), 0);
  EXPECT_TRUE(ip_header_sums_up(header.data()));
}

TEST(Parse, sums_of_any_length_and_alignment_agree_with_rfc_1071) {
  std::mt19937 random(8);
  Bytes bytes(2100);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  for (std::size_t length = 1; length <= 2050; ++length) {
    const std::size_t from = length % 17;
    const auto begin = bytes.begin() + static_cast<long>(from);
    const auto sum = fold_sum(ones_sum(bytes.data() + from, length));
    const auto wire = static_cast<std::uint16_t>(sum << 8 | sum >> 8);
    ASSERT_EQ(static_cast<std::uint16_t>(~wire),
              slow_checksum(Bytes(begin, begin + static_cast<long>(length))))
        << length;
  }
}

}  // namespace
}  // namespace castgate::test
