// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include <gtest/gtest.h>

#include "dataplane/base/rtp/locate.h"
#include "tests/support/packets.h"

namespace castgate {
namespace {

using test::Bytes;

// RFC 3550 5.1 and 5.3.1, field by field; with `high` as RFC 4175 has it behind the header.
Bytes rtp(unsigned sources, std::optional<unsigned> extension_words, std::optional<unsigned> high) {
  Bytes made{static_cast<std::uint8_t>(0x80 | (extension_words ? 0x10 : 0) | sources), 96};
  test::put16(made, 0x1234);
  test::put32(made, 0x89abcdef);
  test::put32(made, 0xfeedbeef);
  for (unsigned i = 0; i < sources; ++i) test::put32(made, i);
  if (extension_words) {
    test::put16(made, 0xbede);
    test::put16(made, *extension_words);
    for (unsigned i = 0; i < *extension_words; ++i) test::put32(made, i);
  }
  if (high) test::put16(made, *high);
  return made;
}

std::optional<Located> locate(const Bytes& payload, bool extended) {
  // A copy of exactly this size, so that the sanitizers see a read past its end.
  const std::vector<std::byte> exact(test::as_span(payload).begin(), test::as_span(payload).end());
  Located where{};
  const bool found = extended ? locate_rtp_extended(exact.data(), exact.size(), where)
                              : locate_rtp(exact.data(), exact.size(), where);
  if (!found) return {};
  return where;
}

TEST(RtpLocateTest, sequence_and_source_are_where_the_rfc_has_them) {
  const auto where = locate(rtp(0, {}, {}), false);
  ASSERT_TRUE(where);
  EXPECT_EQ(where->raw, 0x1234u);
  EXPECT_EQ(where->epoch, 0xfeedbeefu);
}

TEST(RtpLocateTest, padding_marker_and_payload_type_do_not_matter) {
  Bytes packet = rtp(0, {}, {});
  packet[0] |= 0x20;
  packet[1] = 0xff;
  EXPECT_TRUE(locate(packet, false));
}

TEST(RtpLocateTest, every_other_version_is_no_rtp) {
  for (const unsigned version : {0u, 1u, 3u}) {
    for (unsigned rest = 0; rest < 64; ++rest) {
      Bytes packet = rtp(0, {}, {});
      packet.resize(2000);
      packet[0] = static_cast<std::uint8_t>(version << 6 | rest);
      EXPECT_FALSE(locate(packet, false)) << version << " " << rest;
    }
  }
}

TEST(RtpLocateTest, header_with_sources_and_extension_must_be_whole) {
  for (unsigned sources = 0; sources < 16; ++sources) {
    for (const std::optional<unsigned> words :
         {std::optional<unsigned>{}, std::optional{0u}, std::optional{3u}}) {
      const Bytes whole = rtp(sources, words, {});
      EXPECT_EQ(locate(whole, false)->raw, 0x1234u);
      for (std::size_t length = 0; length < whole.size(); ++length) {
        ASSERT_FALSE(locate(Bytes(whole.begin(), whole.begin() + static_cast<int>(length)), false))
            << sources << " sources, " << length << " of " << whole.size() << " bytes";
      }
    }
  }
}

TEST(RtpLocateTest, extended_sequence_is_the_high_half_behind_the_header) {
  for (const unsigned sources : {0u, 2u, 15u}) {
    for (const std::optional<unsigned> words : {std::optional<unsigned>{}, std::optional{3u}}) {
      const Bytes whole = rtp(sources, words, 0xabcd);
      const auto where = locate(whole, true);
      ASSERT_TRUE(where);
      EXPECT_EQ(where->raw, 0xabcd1234u);
      for (std::size_t length = 0; length < whole.size(); ++length) {
        ASSERT_FALSE(locate(Bytes(whole.begin(), whole.begin() + static_cast<int>(length)), true));
      }
    }
  }
}

}  // namespace
}  // namespace castgate
