// SPDX-License-Identifier: Apache-2.0
// What castgate-node opens of ESP in UDP, and what --open may say of it.
#include <chrono>
#include <cstring>

#include <gtest/gtest.h>

#include "controlplane/node/relay_opener.h"
#include "tests/support/one_key.h"
#include "tests/support/packets.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;
using test::Bytes;
using Verdict = RelayOpener::Verdict;

constexpr std::uint32_t kSpi = 0x1000;

class NodeOpenEspTest : public testing::TestWithParam<bool> {
 protected:
  NodeOpenEspTest() {
    option_.sealed.profile = ProtectProfile::EspTunnel;
    option_.sealed.spi = kSpi;
    option_.sealed.esn = GetParam();
    std::vector<std::byte> key(key_file_bytes(option_.sealed));
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(3 * i + 1);
    option_.sealed.keys = test::one_key(share_key(key));
    const auto master = read_esp_master(key, KeyBits::Aes128);
    esp_ = make_secret<EspGcm>(ciphers_, *master, GetParam());
    begin();
  }
  void begin() {
    auto made = RelayOpener::make(option_);
    ASSERT_TRUE(made) << made.error().text;
    opener_ = std::move(*made);
  }
  static test::Frame inside(std::uint64_t number) {
    test::Frame frame;
    frame.payload = Bytes(number % 1'400, static_cast<std::uint8_t>(number));
    return frame;
  }
  Bytes seal(const Bytes& inner, std::uint64_t number, std::uint8_t next_header = kEspIp4) {
    Bytes made(EspShape::sealed(inner.size()));
    esp_->seal(ciphers_.manager(), reinterpret_cast<std::byte*>(made.data()),
               std::as_bytes(std::span(inner)), next_header,
               {.spi = kSpi, .sequence = number, .iv = number});
    return made;
  }
  Verdict open(const Bytes& bytes) {
    now_ = now_ + 1ms;
    packet_->length = static_cast<std::uint32_t>(bytes.size());
    std::ranges::copy(std::as_bytes(std::span(bytes)), packet_->bytes.begin());
    return opener_->open(*packet_, now_);
  }
  Verdict bring(std::uint64_t number) {
    const test::Frame clear = inside(number);
    const Verdict verdict = open(seal(clear.ip(), number));
    if (verdict == Verdict::Genuine) {
      EXPECT_EQ(packet_->length, clear.payload.size());
      EXPECT_EQ(std::memcmp(packet_->bytes.data(), clear.payload.data(), clear.payload.size()), 0);
    }
    return verdict;
  }

  OpenOption option_;
  Ciphers ciphers_ = *Ciphers::make();
  Secret<EspGcm> esp_;
  std::unique_ptr<RelayOpener> opener_;
  std::unique_ptr<NodePacket> packet_ = std::make_unique<NodePacket>();
  Instant now_{1'000'000'000};
};

TEST_P(NodeOpenEspTest, what_was_sealed_is_opened_once_and_in_any_order) {
  for (std::uint64_t number = 1; number < 20'000; number += 1 + number % 29)
    ASSERT_EQ(bring(number), Verdict::Genuine) << number;
  ASSERT_EQ(bring(25'000), Verdict::Genuine);
  ASSERT_EQ(bring(24'990), Verdict::Genuine);
  EXPECT_EQ(bring(25'000), Verdict::Replayed);
  EXPECT_EQ(bring(24'990), Verdict::Replayed);
}

TEST_P(NodeOpenEspTest, what_is_not_genuine_changes_nothing) {
  for (std::uint64_t number = 1; number < 500; ++number) {
    const Bytes sealed = seal(inside(number).ip(), number);
    Bytes forged = sealed;
    forged[8 + number * 7 % (forged.size() - 8)] ^= 4;
    ASSERT_EQ(open(forged), Verdict::Forged) << number;
    ASSERT_EQ(open(Bytes(sealed.begin(), sealed.begin() + 35)), Verdict::Forged);
    ASSERT_EQ(open(sealed), Verdict::Genuine) << number;
  }
}

TEST_P(NodeOpenEspTest, what_is_not_the_streams_is_foreign) {
  option_.inner_to = Endpoint::parse("239.1.0.1:5000");
  begin();
  for (const Bytes& beside : {Bytes{0xff}, Bytes(4), Bytes(90)})
    EXPECT_EQ(open(beside), Verdict::Foreign);
  Bytes other = seal(inside(1).ip(), 1);
  other[3] ^= 1;
  EXPECT_EQ(open(other), Verdict::Foreign) << "another SPI";
  EXPECT_EQ(open(seal(Bytes(60), 2, 59)), Verdict::Foreign) << "a dummy";
  EXPECT_EQ(open(seal(inside(3).udp(), 3, kEspUdp)), Verdict::Foreign) << "transport mode";
  test::Frame elsewhere = inside(4);
  elsewhere.destination_port = 5001;
  EXPECT_EQ(open(seal(elsewhere.ip(), 4)), Verdict::Foreign);
  EXPECT_EQ(bring(5), Verdict::Genuine);
  option_.inner_to.reset();
  begin();
  EXPECT_EQ(open(seal(elsewhere.ip(), 6)), Verdict::Genuine);
}

TEST_P(NodeOpenEspTest, a_sender_that_is_there_already_is_found) {
  if (!GetParam()) return;
  std::uint64_t number = (7ull << 32) + 5;
  unsigned missed = 0;
  while (bring(number++) != Verdict::Genuine) ASSERT_LE(++missed, 19u);
  for (unsigned i = 0; i < 100; ++i) ASSERT_EQ(bring(number++), Verdict::Genuine);
}

INSTANTIATE_TEST_SUITE_P(numbers, NodeOpenEspTest, testing::Bool(), [](const auto& param) {
  return std::string(param.param ? "extended" : "short");
});

TEST(NodeOpenEspOption, what_it_says_is_read) {
  const auto read =
      parse_open("profile=esp_tunnel,key_file=a,spi=0x1000,esn=false,inner_to=239.1.0.1:5000");
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->sealed.profile, ProtectProfile::EspTunnel);
  EXPECT_EQ(read->sealed.spi, 0x1000u);
  EXPECT_FALSE(read->sealed.esn);
  EXPECT_EQ(read->inner_to, Endpoint::parse("239.1.0.1:5000"));
  const auto plain = parse_open("profile=esp_tunnel,key_file=a,spi=4096");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->sealed.spi, 4096u);
  EXPECT_TRUE(plain->sealed.esn);
  EXPECT_FALSE(plain->inner_to.has_value());
}

TEST(NodeOpenEspOption, what_is_wrong_is_named) {
  const std::string esp = "profile=esp_tunnel,key_file=a,spi=4096,";
  const std::pair<std::string, const char*> cases[] = {
      {"profile=esp_tunnel,key_file=a", "spi is missing"},
      {"profile=esp_tunnel,key_file=a,spi=255", "spi: expected 256"},
      {"profile=esp_tunnel,key_file=a,spi=0xg", "spi: expected 256"},
      {"profile=esp_transport,key_file=a,spi=256", "srtp_gcm, srtp_cm or esp_tunnel"},
      {esp + "esn=1", "esn: expected true or false"},
      {esp + "inner_to=239.1.0.1", "inner_to: expected ADDRESS:PORT"},
      {esp + "roc=1", "roc: is SRTP's"},
      {esp + "tag_bits=80", "srtp_cm alone"},
      {"profile=srtp_cm,key_file=a,spi=256", "spi: is ESP's"},
  };
  for (const auto& [text, what] : cases) {
    const auto read = parse_open(text);
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().text.find(what), std::string::npos) << read.error().text;
  }
}

}  // namespace
}  // namespace castgate
