// SPDX-License-Identifier: Apache-2.0
// What castgate-node opens: packets sealed under one key, SSRC by SSRC, each once; and what --open
// may say. That the seals are SRTP's own is judged elsewhere (srtp_peer_test, srtp_vectors_test).
#include <chrono>
#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "controlplane/node/relay_opener.h"
#include "tests/support/one_key.h"
#include "tests/support/packets.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;
using test::Bytes;
using Verdict = RelayOpener::Verdict;

constexpr std::uint64_t kTurn = 65'536;  // of the sequence number

OpenOption option(ProtectProfile profile, unsigned tag_bits = 80, unsigned key_bits = 128) {
  OpenOption made;
  made.sealed.profile = profile;
  made.sealed.tag_bits = tag_bits;
  made.sealed.key_bits = key_bits;
  std::vector<std::byte> key(key_file_bytes(made.sealed));
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(3 * i + 1);
  made.sealed.keys = test::one_key(share_key(key));
  return made;
}

Bytes rtp(std::uint32_t ssrc, std::uint64_t index, std::size_t media) {
  Bytes made;
  test::put16(made, 0x8021);
  test::put16(made, index & 0xffff);
  test::put32(made, static_cast<std::uint32_t>(index * 90));
  test::put32(made, ssrc);
  std::mt19937_64 random(index);
  for (std::size_t i = 0; i < media; ++i) made.push_back(static_cast<std::uint8_t>(random()));
  return made;
}

// One sender, as a relay's output; and who opens it.
class NodeOpenTest : public testing::TestWithParam<OpenOption> {
 protected:
  NodeOpenTest() : option_(GetParam()) {
    seal_with_key();
    begin();
  }

  void seal_with_key() {
    const auto master = read_srtp_master(option_.sealed.keys[0].key->bytes(),
                                         static_cast<KeyBits>(option_.sealed.key_bits));
    if (option_.sealed.profile == ProtectProfile::SrtpGcm) {
      gcm_ = make_secret<SrtpGcm>(ciphers_, *master);
    } else {
      cm_ = make_secret<SrtpCm>(ciphers_, *master, std::size_t{option_.sealed.tag_bits} / 8);
    }
  }

  void begin() {
    auto made = RelayOpener::make(option_);
    ASSERT_TRUE(made) << made.error().text;
    opener_ = std::move(*made);
  }
  Bytes seal(const Bytes& clear, std::uint64_t index) {
    Bytes made = clear;
    made.resize(clear.size() + 16);
    const SrtpPacket packet{reinterpret_cast<std::byte*>(made.data()), clear.size(), 12, index};
    if (gcm_) {
      gcm_->seal(ciphers_.manager(), packet);
    } else {
      batch_.add(*cm_, packet);
      batch_.seal(ciphers_.manager());
    }
    made.resize(clear.size() + srtp_growth(option_.sealed));
    return made;
  }
  Verdict open(const Bytes& bytes) {
    now_ = now_ + 1ms;
    packet_->length = static_cast<std::uint32_t>(bytes.size());
    std::ranges::copy(std::as_bytes(std::span(bytes)), packet_->bytes.begin());
    return opener_->open(*packet_, now_);
  }
  Verdict bring(std::uint64_t index, std::uint32_t ssrc = 7) {
    const Bytes clear = rtp(ssrc, index, index % 1'400);
    const Verdict verdict = open(seal(clear, index));
    if (verdict == Verdict::Genuine) {
      EXPECT_EQ(packet_->length, clear.size());
      EXPECT_EQ(std::memcmp(packet_->bytes.data(), clear.data(), clear.size()), 0) << index;
    }
    return verdict;
  }

  OpenOption option_;
  Ciphers ciphers_ = *Ciphers::make();
  Secret<SrtpGcm> gcm_;
  Secret<SrtpCm> cm_;
  SrtpCmBatch batch_;
  std::unique_ptr<RelayOpener> opener_;
  std::unique_ptr<NodePacket> packet_ = std::make_unique<NodePacket>();
  Instant now_{1'000'000'000};
};

TEST_P(NodeOpenTest, what_was_sealed_is_opened_through_two_wraps_of_its_number) {
  for (std::uint64_t index = 65'000; index < 3 * kTurn; index += 1 + index % 29) {
    ASSERT_EQ(bring(index), Verdict::Genuine) << index;
  }
}

TEST_P(NodeOpenTest, what_came_is_opened_once_and_in_any_order) {
  ASSERT_EQ(bring(5'000), Verdict::Genuine);
  ASSERT_EQ(bring(4'990), Verdict::Genuine);
  EXPECT_EQ(bring(5'000), Verdict::Replayed);
  EXPECT_EQ(bring(4'990), Verdict::Replayed);
  EXPECT_EQ(bring(4'991), Verdict::Genuine);
  EXPECT_EQ(bring(5'000 - option_.replay_window - 1), Verdict::Replayed) << "too old to know";
}

TEST_P(NodeOpenTest, a_forged_packet_changes_nothing) {
  std::mt19937_64 random(4);
  for (std::uint64_t index = 10; index < 2'000; ++index) {
    Bytes sealed = seal(rtp(7, index, 100), index);
    const std::size_t at = 2 + random() % (sealed.size() - 2);
    Bytes forged = sealed;
    forged[at] ^= static_cast<std::uint8_t>(1u << random() % 8);
    ASSERT_NE(open(forged), Verdict::Genuine) << index << " byte " << at;
    ASSERT_EQ(open(sealed), Verdict::Genuine) << index;
  }
}

TEST_P(NodeOpenTest, what_is_no_srtp_packet_is_forged) {
  for (std::size_t length = 0; length < 40; ++length) {
    EXPECT_EQ(open(Bytes(length, 0)), Verdict::Forged) << length;
    Bytes clear = rtp(7, 1, 40);
    clear.resize(length);
    EXPECT_EQ(open(clear), Verdict::Forged) << length;
  }
  EXPECT_EQ(bring(1), Verdict::Genuine);
}

TEST_P(NodeOpenTest, an_ssrc_begins_at_the_roll_over_that_was_told_and_the_next_one_at_none) {
  option_.roll_over = 5;
  begin();
  EXPECT_EQ(bring(5 * kTurn + 9), Verdict::Genuine);
  EXPECT_EQ(bring(9, 8), Verdict::Genuine) << "the relay began anew";
  EXPECT_EQ(bring(5 * kTurn + 10), Verdict::Genuine) << "the first one is still known";
  for (std::uint32_t ssrc = 100; ssrc < 110; ++ssrc) {
    EXPECT_EQ(bring(9, ssrc), Verdict::Genuine) << "more sources than are known at a time";
  }
}

TEST_P(NodeOpenTest, a_stream_that_is_older_than_was_told_is_found) {
  std::uint64_t index = 40 * kTurn + 100;
  unsigned tried = 0;
  while (bring(index) != Verdict::Genuine) {
    ++index;
    ASSERT_LT(++tried, 100u);
  }
  for (unsigned i = 1; i < 100; ++i) ASSERT_EQ(bring(index + i), Verdict::Genuine);
}

TEST_P(NodeOpenTest, a_stream_is_found_again_after_more_than_half_a_turn_of_silence) {
  ASSERT_EQ(bring(100), Verdict::Genuine);
  now_ = now_ + 60s;
  std::uint64_t index = 3 * kTurn + 60'000;
  unsigned tried = 0;
  while (bring(index) != Verdict::Genuine) {
    ++index;
    ASSERT_LT(++tried, 100u);
  }
  EXPECT_EQ(bring(index + 1), Verdict::Genuine);
}

TEST_P(NodeOpenTest, another_key_opens_nothing) {
  auto key = option(option_.sealed.profile, option_.sealed.tag_bits, option_.sealed.key_bits);
  std::vector<std::byte> other(key.sealed.keys[0].key->bytes().begin(),
                               key.sealed.keys[0].key->bytes().end());
  other[0] ^= std::byte{1};
  option_.sealed.keys = test::one_key(share_key(other));
  begin();
  for (std::uint64_t index = 1; index < 300; ++index) ASSERT_EQ(bring(index), Verdict::Forged);
}

// Numbers go on from one key to the next (RFC 3711 3.3.1).
TEST_P(NodeOpenTest, a_key_that_takes_the_place_of_another_goes_on_with_its_numbers) {
  option_.roll_over = 4;
  begin();
  ASSERT_EQ(bring(4 * kTurn + 65'500), Verdict::Genuine);
  std::vector<std::byte> other(option_.sealed.keys[0].key->bytes().begin(),
                               option_.sealed.keys[0].key->bytes().end());
  other[0] ^= std::byte{1};
  option_.sealed.keys = test::one_key(share_key(other));
  option_.roll_over = 0;
  seal_with_key();
  const auto before = std::move(opener_);
  begin();
  opener_->inherit(*before);
  for (std::uint64_t n = 0; n < 100; ++n)
    ASSERT_EQ(bring(4 * kTurn + 65'501 + n), Verdict::Genuine) << n;
}

INSTANTIATE_TEST_SUITE_P(profiles, NodeOpenTest,
                         testing::Values(option(ProtectProfile::SrtpGcm),
                                         option(ProtectProfile::SrtpGcm, 80, 256),
                                         option(ProtectProfile::SrtpCm),
                                         option(ProtectProfile::SrtpCm, 32, 256)),
                         [](const auto& param) {
                           const ProtectSpec& sealed = param.param.sealed;
                           return (sealed.profile == ProtectProfile::SrtpGcm ? "gcm" : "cm") +
                                  std::to_string(sealed.key_bits);
                         });

TEST(NodeOpenOptionTest, what_it_says_is_read) {
  const auto read = parse_open("profile=srtp_cm,tag_bits=32,key_bits=256,key_file=/a,roc=7");
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->sealed.profile, ProtectProfile::SrtpCm);
  EXPECT_EQ(read->sealed.tag_bits, 32u);
  EXPECT_EQ(read->sealed.key_bits, 256u);
  EXPECT_EQ(read->sealed.key_file, "/a");
  EXPECT_EQ(read->roll_over, 7u);
  EXPECT_EQ(parse_open("key_file=b,profile=srtp_gcm,replay_window=64")->replay_window, 64u);
}

TEST(NodeOpenOptionTest, what_is_wrong_is_named) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "expected a profile and its key"},
      {"profile=srtp_gcm", "expected a profile and its key"},
      {"profile=esp,key_file=a", "expected srtp_gcm, srtp_cm or esp_tunnel"},
      {"profile=srtp_gcm,key_file=", "expected a path"},
      {"profile=srtp_gcm,key_file=a,key_bits=192", "expected 128 or 256"},
      {"profile=srtp_cm,key_file=a,tag_bits=8", "expected 80 or 32"},
      {"profile=srtp_gcm,key_file=a,tag_bits=80", "srtp_cm alone"},
      {"profile=srtp_gcm,key_file=a,roc=-1", "roc: expected 0"},
      {"profile=srtp_gcm,key_file=a,roc=4294967296", "roc: expected 0"},
      {"profile=srtp_gcm,key_file=a,replay_window=63", "expected 64 to 32768"},
      {"profile=srtp_gcm,key_file=a,roc", "roc: expected 0"},
      {"profile=srtp_gcm,key_file=a,key=00", "unknown 'key'; there are: profile, key_file"},
      {"profile=srtp_gcm,key_file=a,key_file=b", "key_file is there twice"},
  };
  for (const auto& [text, what] : cases) {
    const auto read = parse_open(text);
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().text.find(what), std::string::npos) << read.error().text;
  }
}

}  // namespace
}  // namespace castgate
