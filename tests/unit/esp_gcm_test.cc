// SPDX-License-Identifier: Apache-2.0
// OpenSSL judges: it takes apart what EspGcm put together by RFC 4303 and RFC 4106, and the
// reverse.
#include "dataplane/base/esp/esp_gcm.h"

#include <algorithm>
#include <openssl/evp.h>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/protect/secret_memory.h"

namespace castgate {
namespace {

using Bytes = std::vector<std::byte>;

unsigned char* raw(std::byte* at) {
  return reinterpret_cast<unsigned char*>(at);
}
const unsigned char* raw(const std::byte* at) {
  return reinterpret_cast<const unsigned char*>(at);
}

// AES-GCM by OpenSSL; an empty answer where the tag is wrong.
class Judge {
 public:
  explicit Judge(const EspMaster& master)
      : master_(master),
        cipher_(master.bits == KeyBits::Aes256 ? EVP_aes_256_gcm() : EVP_aes_128_gcm()) {}

  Bytes open(const Bytes& packet, std::uint64_t sequence, bool extended) const {
    const Bytes nonce = nonce_of(packet);
    const Bytes bound = bound_to(packet, sequence, extended);
    const Bytes tag(packet.end() - 16, packet.end());
    Bytes inner(packet.size() - 32);
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    int count = 0;
    EVP_DecryptInit_ex(context, cipher_, nullptr, raw(master_.key.data()), raw(nonce.data()));
    EVP_DecryptUpdate(context, nullptr, &count, raw(bound.data()), static_cast<int>(bound.size()));
    EVP_DecryptUpdate(context, raw(inner.data()), &count, raw(packet.data() + 16),
                      static_cast<int>(inner.size()));
    Bytes asked = tag;
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, asked.data());
    const bool good = EVP_DecryptFinal_ex(context, raw(inner.data()), &count) == 1;
    EVP_CIPHER_CTX_free(context);
    if (!good) inner.clear();
    return inner;
  }

  // A packet around `inner`, which ends with padding and trailer.
  Bytes seal(const Bytes& inner, const EspGcm::Numbers& numbers, bool extended) const {
    Bytes packet(16 + inner.size() + 16);
    store_be32(packet.data(), numbers.spi);
    store_be32(packet.data() + 4, static_cast<std::uint32_t>(numbers.sequence));
    store_be(packet.data() + 8, numbers.iv);
    const Bytes nonce = nonce_of(packet);
    const Bytes bound = bound_to(packet, numbers.sequence, extended);
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    int count = 0;
    EVP_EncryptInit_ex(context, cipher_, nullptr, raw(master_.key.data()), raw(nonce.data()));
    EVP_EncryptUpdate(context, nullptr, &count, raw(bound.data()), static_cast<int>(bound.size()));
    EVP_EncryptUpdate(context, raw(packet.data() + 16), &count, raw(inner.data()),
                      static_cast<int>(inner.size()));
    EVP_EncryptFinal_ex(context, raw(packet.data()), &count);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, packet.data() + 16 + inner.size());
    EVP_CIPHER_CTX_free(context);
    return packet;
  }

 private:
  Bytes nonce_of(const Bytes& packet) const {
    Bytes nonce(master_.salt.begin(), master_.salt.end());
    nonce.insert(nonce.end(), packet.begin() + 8, packet.begin() + 16);
    return nonce;
  }
  static Bytes bound_to(const Bytes& packet, std::uint64_t sequence, bool extended) {
    Bytes bound(packet.begin(), packet.begin() + 4);
    bound.resize(extended ? 12 : 8);
    if (extended) store_be32(bound.data() + 4, static_cast<std::uint32_t>(sequence >> 32));
    store_be32(bound.data() + bound.size() - 4, static_cast<std::uint32_t>(sequence));
    return bound;
  }

  EspMaster master_;
  const EVP_CIPHER* cipher_;
};

struct Kind {
  KeyBits bits;
  bool extended;
};

class EspGcmTest : public testing::TestWithParam<Kind> {
 protected:
  EspGcmTest() {
    for (std::byte& byte : master_.key) byte = static_cast<std::byte>(random_());
    for (std::byte& byte : master_.salt) byte = static_cast<std::byte>(random_());
    master_.bits = GetParam().bits;
    esp_ = make_secret<EspGcm>(ciphers_, master_, GetParam().extended);
  }

  Bytes random_bytes(std::size_t length) {
    Bytes bytes(length);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random_());
    return bytes;
  }
  EspGcm::Numbers random_numbers() {
    return {.spi = static_cast<std::uint32_t>(random_() | kFirstSpi),
            .sequence = GetParam().extended ? random_() >> 8 : random_() >> 32,
            .iv = random_()};
  }
  Bytes sealed(const Bytes& inner, const EspGcm::Numbers& numbers) const {
    Bytes packet(EspShape::sealed(inner.size()));
    std::ranges::copy(inner, packet.begin() + EspShape::kHead);
    esp_->seal(ciphers_.manager(), packet.data(), {packet.data() + EspShape::kHead, inner.size()},
               kEspIp4, numbers);
    return packet;
  }

  std::mt19937_64 random_{5};
  Ciphers ciphers_ = *Ciphers::make();
  EspMaster master_;
  Secret<EspGcm> esp_;
};

TEST_P(EspGcmTest, openssl_finds_what_was_put_in_with_its_padding_and_next_header) {
  const Judge judge(master_);
  for (std::size_t length = 20; length < 1'500; length += length < 100 ? 1 : 37) {
    const Bytes inner = random_bytes(length);
    const EspGcm::Numbers numbers = random_numbers();
    const Bytes packet = sealed(inner, numbers);
    Bytes apart(packet.size());
    esp_->seal(ciphers_.manager(), apart.data(), inner, kEspIp4, numbers);
    ASSERT_EQ(apart, packet);
    ASSERT_EQ(load_be32(packet.data()), numbers.spi);
    const Bytes opened = judge.open(packet, numbers.sequence, GetParam().extended);
    ASSERT_EQ(opened.size() % 4, 0u);
    ASSERT_GE(opened.size(), length + 2);
    ASSERT_TRUE(std::equal(inner.begin(), inner.end(), opened.begin()));
    const std::size_t padding = opened.size() - 2 - length;
    ASSERT_LT(padding, 4u);
    for (std::size_t i = 0; i < padding; ++i)
      ASSERT_EQ(opened[length + i], static_cast<std::byte>(i + 1));
    ASSERT_EQ(opened[length + padding], static_cast<std::byte>(padding));
    ASSERT_EQ(opened[length + padding + 1], static_cast<std::byte>(kEspIp4));
  }
}

TEST_P(EspGcmTest, what_openssl_sealed_with_any_padding_opens) {
  const Judge judge(master_);
  for (const std::size_t padding : {0u, 1u, 2u, 3u, 17u, 255u}) {
    const Bytes inner = random_bytes(333);
    Bytes padded = inner;
    for (std::size_t i = 0; i < padding; ++i) padded.push_back(static_cast<std::byte>(i + 1));
    padded.push_back(static_cast<std::byte>(padding));
    padded.push_back(static_cast<std::byte>(kEspIp6));
    const EspGcm::Numbers numbers = random_numbers();
    Bytes packet = judge.seal(padded, numbers, GetParam().extended);
    const auto opened = esp_->open(ciphers_.manager(), packet, numbers.sequence);
    ASSERT_TRUE(opened) << padding;
    EXPECT_TRUE(std::ranges::equal(opened->inner, inner));
    EXPECT_EQ(opened->next_header, kEspIp6);
  }
}

TEST_P(EspGcmTest, genuine_bytes_with_a_padding_that_is_none_are_malformed) {
  const Judge judge(master_);
  const EspGcm::Numbers numbers = random_numbers();
  for (const auto& [padding, told] : {std::pair{3, 3}, {0, 200}, {0, 1}}) {
    Bytes padded = random_bytes(100);
    padded.insert(padded.end(), static_cast<std::size_t>(padding), std::byte{9});
    padded.push_back(static_cast<std::byte>(told));
    padded.push_back(static_cast<std::byte>(kEspIp4));
    padded[99] = std::byte{0};
    Bytes packet = judge.seal(padded, numbers, GetParam().extended);
    const auto opened = esp_->open(ciphers_.manager(), packet, numbers.sequence);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error(), EspGcm::Fault::Malformed);
  }
}

TEST_P(EspGcmTest, one_flipped_bit_anywhere_or_another_number_is_a_forgery) {
  const EspGcm::Numbers numbers = random_numbers();
  const Bytes packet = sealed(random_bytes(60), numbers);
  for (std::size_t bit = 0; bit < packet.size() * 8; ++bit) {
    // open() is told the whole number and does not look at the half that is sent.
    if (bit / 8 >= 4 && bit / 8 < 8) continue;
    Bytes changed = packet;
    changed[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    const auto opened = esp_->open(ciphers_.manager(), changed, numbers.sequence);
    ASSERT_TRUE(!opened && opened.error() == EspGcm::Fault::Forged) << bit;
  }
  Bytes again = packet;
  EXPECT_FALSE(esp_->open(ciphers_.manager(), again, numbers.sequence + 1));
  again = packet;
  const bool of_next_turn =
      esp_->open(ciphers_.manager(), again, numbers.sequence + (std::uint64_t{1} << 32))
          .has_value();
  EXPECT_EQ(of_next_turn, !GetParam().extended);
}

INSTANTIATE_TEST_SUITE_P(Kinds, EspGcmTest,
                         testing::Values(Kind{KeyBits::Aes128, false}, Kind{KeyBits::Aes128, true},
                                         Kind{KeyBits::Aes256, false},
                                         Kind{KeyBits::Aes256, true}));

TEST(EspSequenceTest, the_upper_half_is_the_nearest_from_the_windows_bottom_on) {
  constexpr std::uint32_t kWindow = 1'024;
  constexpr std::uint64_t kTurn = std::uint64_t{1} << 32;
  std::mt19937_64 random(3);
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t newest = kTurn + random() % (5 * kTurn);
    const std::uint64_t bottom = newest - (kWindow - 1);
    // What the sender may have sent: from the bottom on less than one turn.
    const std::uint64_t sent = bottom + random() % kTurn;
    ASSERT_EQ(esp_sequence(newest, static_cast<std::uint32_t>(sent), kWindow), sent) << newest;
  }
  EXPECT_EQ(esp_sequence(5, 0xffff'fff0, kWindow), 0xffff'fff0u);  // before the first turn is none
}

}  // namespace
}  // namespace castgate
