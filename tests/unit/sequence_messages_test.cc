// SPDX-License-Identifier: Apache-2.0
// Positions in market data, against packets put together here from the protocols' descriptions.
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "dataplane/base/sequence/generic.h"
#include "dataplane/base/sequence/messages.h"
#include "tests/support/packets.h"

namespace castgate {
namespace {

using test::Bytes;

void put_le(Bytes& to, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) to.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

void put_be(Bytes& to, std::uint64_t value, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) to.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

void put_text(Bytes& to, const std::string& text) {
  to.insert(to.end(), text.begin(), text.end());
}

Bytes mold(const std::string& session, std::uint64_t first, const std::vector<std::string>& texts) {
  Bytes made;
  put_text(made, session);
  put_be(made, first, 8);
  put_be(made, texts.size(), 2);
  for (const auto& text : texts) {
    put_be(made, text.size(), 2);
    put_text(made, text);
  }
  return made;
}

Bytes iex(std::uint64_t offset, std::uint64_t first, const std::vector<std::string>& texts) {
  Bytes body;
  for (const auto& text : texts) {
    put_le(body, text.size(), 2);
    put_text(body, text);
  }
  Bytes made{1, 0};
  put_le(made, 0x8004, 2);
  put_le(made, 1, 4);
  put_le(made, 0x50607080, 4);  // session
  put_le(made, body.size(), 2);
  put_le(made, texts.size(), 2);
  put_le(made, offset, 8);
  put_le(made, first, 8);
  put_le(made, 1'700'000'000'000'000'000, 8);
  test::append(made, body);
  return made;
}

using Locate = bool (*)(const std::byte*, std::size_t, Located&) noexcept;

std::optional<Located> located(Locate locate, const Bytes& payload, std::size_t length) {
  // Of exactly this size, so that the sanitizers see a read past its end.
  const std::vector<std::uint8_t> exact(payload.begin(),
                                        payload.begin() + static_cast<std::ptrdiff_t>(length));
  Located where{};
  if (!locate(reinterpret_cast<const std::byte*>(exact.data()), length, where)) return {};
  return where;
}

std::optional<Located> located(Locate locate, const Bytes& payload) {
  return located(locate, payload, payload.size());
}

TEST(SequenceMessages, moldudp64_numbers_messages) {
  const auto where = located(locate_moldudp64, mold("SESSION001", 0x8000000000000005, {"a", "bc"}));
  ASSERT_TRUE(where);
  EXPECT_EQ(where->raw, 0x8000000000000005);
  EXPECT_EQ(where->count, 2);
  for (const char* other : {"SESSION002", "TESSION001", "SESSIOM001"}) {
    EXPECT_NE(located(locate_moldudp64, mold(other, 5, {"a"}))->epoch, where->epoch) << other;
  }
  EXPECT_EQ(located(locate_moldudp64, mold("SESSION001", 7, {}))->epoch, where->epoch);
}

TEST(SequenceMessages, moldudp64_heartbeat_and_end_hold_no_message) {
  const Bytes heartbeat = mold("SESSION001", 77, {});
  EXPECT_EQ(located(locate_moldudp64, heartbeat)->count, 0);
  Bytes end = heartbeat;
  end[18] = end[19] = 0xff;
  EXPECT_EQ(located(locate_moldudp64, end)->count, Located::kEnd);
  EXPECT_EQ(located(locate_moldudp64, end)->raw, 77u);
}

TEST(SequenceMessages, header_and_room_for_the_lengths_must_be_there) {
  for (const Bytes& whole : {mold("SESSION001", 5, {"abc", "", "defg"}), iex(9, 5, {"abc", "d"})}) {
    const bool is_iex = whole[0] == 1;
    const std::size_t least = is_iex ? whole.size() : 20 + 3 * 2;  // IEX-TP tells its length
    for (std::size_t length = 0; length <= whole.size(); ++length) {
      const auto where = located(is_iex ? locate_iex_tp : locate_moldudp64, whole, length);
      EXPECT_EQ(where.has_value(), length >= least) << length;
    }
  }
}

TEST(SequenceMessages, packet_with_a_message_that_is_not_whole_is_not_cut) {
  for (const Bytes& whole :
       {mold("SESSION001", 5, {"abc", "", "defg"}), iex(9, 5, {"abc", "defg"})}) {
    const bool is_iex = whole[0] == 1;
    const std::size_t last = whole.size() - 6;  // where the last message's length stands
    Bytes broken = whole;
    broken.at(is_iex ? last : last + 1) = 5;
    const Bytes before = broken;
    auto* bytes = reinterpret_cast<std::byte*>(broken.data());
    const unsigned skip = is_iex ? 1 : 2;
    EXPECT_EQ(is_iex ? cut_iex_tp(bytes, broken.size(), skip, 1)
                     : cut_moldudp64(bytes, broken.size(), skip, 1),
              0u);
    EXPECT_EQ(broken, before);
    EXPECT_NE(is_iex ? cut_iex_tp(bytes, broken.size(), 0, skip)
                     : cut_moldudp64(bytes, broken.size(), 0, skip),
              0u)
        << "the broken one is cut off";
  }
}

TEST(SequenceMessages, cme_mdp3_numbers_packets_little_endian) {
  Bytes packet;
  put_le(packet, 0x01020304, 4);
  put_le(packet, 99, 8);
  const auto where = located(locate_cme_mdp3, packet);
  ASSERT_TRUE(where);
  EXPECT_EQ(where->raw, 0x01020304u);
  EXPECT_EQ(where->count, 1);
  for (std::size_t length = 0; length < 12; ++length) {
    EXPECT_FALSE(located(locate_cme_mdp3, packet, length));
  }
}

TEST(SequenceMessages, iex_tp_numbers_messages_little_endian) {
  const auto where = located(locate_iex_tp, iex(1000, 0x0102030405060708, {"a", "bc", "def"}));
  ASSERT_TRUE(where);
  EXPECT_EQ(where->raw, 0x0102030405060708u);
  EXPECT_EQ(where->count, 3);
  EXPECT_EQ(where->epoch, 0x50607080u);
  EXPECT_EQ(located(locate_iex_tp, iex(1000, 4, {}))->count, 0);
  Bytes second = iex(0, 1, {"a"});
  second[0] = 2;
  EXPECT_FALSE(located(locate_iex_tp, second)) << "another version";
}

TEST(SequenceMessages, iex_tp_payload_length_is_believed_and_no_further) {
  Bytes packet = iex(0, 1, {"ab", "cd"});
  test::append(packet, Bytes{0, 0, 0});
  EXPECT_TRUE(located(locate_iex_tp, packet)) << "padding behind the last message";
  packet[12] = 3;  // no room for two lengths
  EXPECT_FALSE(located(locate_iex_tp, packet));
}

// A packet cut to messages [skip, skip + count) is the packet that holds just these.
TEST(SequenceMessages, cut_packet_is_as_if_sent_with_these_messages_only) {
  const std::vector<std::string> texts{"first", "", "the third", "4", "fifth and last"};
  std::vector<std::size_t> bytes{0};
  for (const auto& text : texts) bytes.push_back(bytes.back() + 2 + text.size());
  for (unsigned skip = 0; skip < texts.size(); ++skip) {
    for (unsigned count = 1; skip + count <= texts.size(); ++count) {
      const std::vector<std::string> kept(texts.begin() + skip, texts.begin() + skip + count);
      Bytes packet = mold("SESSION001", 0xffffffff, texts);
      packet.resize(
          cut_moldudp64(reinterpret_cast<std::byte*>(packet.data()), packet.size(), skip, count));
      EXPECT_EQ(packet, mold("SESSION001", 0xffffffffull + skip, kept)) << skip << " " << count;
      Bytes other = iex(1000, 70, texts);
      other.resize(
          cut_iex_tp(reinterpret_cast<std::byte*>(other.data()), other.size(), skip, count));
      EXPECT_EQ(other, iex(1000 + bytes[skip], 70 + skip, kept)) << skip << " " << count;
    }
  }
}

std::optional<Located> generic(const GenericSequence& sequence, const Bytes& payload,
                               std::size_t length) {
  const std::vector<std::uint8_t> exact(payload.begin(),
                                        payload.begin() + static_cast<std::ptrdiff_t>(length));
  Located where{};
  const auto* bytes = reinterpret_cast<const std::byte*>(exact.data());
  if (!locate_generic(sequence, bytes, length, where)) return {};
  return where;
}

TEST(SequenceGeneric, numbers_are_read_where_they_are_said_to_be) {
  const Bytes payload{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  auto where = generic({.position = {2, 8, true}}, payload, 12);
  EXPECT_EQ(where->raw, 0x0a09080706050403u);
  EXPECT_EQ(where->count, 1);
  EXPECT_EQ(where->epoch, 0u);
  where = generic({.position = {9, 3, false}, .count = {0, 1}, .epoch = {4, 2, true}}, payload, 12);
  EXPECT_EQ(where->raw, 0x0a0b0cu);
  EXPECT_EQ(where->count, 1);
  EXPECT_EQ(where->epoch, 0x0605u);
  EXPECT_EQ(generic({.position = {0, 2}, .count = {2, 2}}, payload, 12)->count, 0x0304);
}

TEST(SequenceGeneric, every_byte_of_a_long_epoch_matters) {
  const GenericSequence sequence{.position = {0, 2}, .epoch = {2, 8}};
  const Bytes payload(10, 0);
  const auto epoch = generic(sequence, payload, 10)->epoch;
  for (std::size_t i = 2; i < 10; ++i) {
    Bytes other = payload;
    other[i] = 1;
    EXPECT_NE(generic(sequence, other, 10)->epoch, epoch) << i;
  }
}

TEST(SequenceGeneric, field_that_is_not_whole_is_refused) {
  const GenericSequence sequence{.position = {2, 4}, .count = {8, 2}, .epoch = {6, 1}};
  const Bytes payload(12, 0);
  for (std::size_t length = 0; length < 10; ++length) {
    EXPECT_FALSE(generic(sequence, payload, length)) << length;
  }
  EXPECT_TRUE(generic(sequence, payload, 10));
  EXPECT_FALSE(generic({.position = {0, 2}, .count = {0, 2}}, Bytes{0xff, 0xff}, 2))
      << "more than a packet can hold";
}

}  // namespace
}  // namespace castgate
