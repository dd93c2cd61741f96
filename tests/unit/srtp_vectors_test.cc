// SPDX-License-Identifier: Apache-2.0
// The vectors that the RFCs print.
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/base/protect/secret_memory.h"
#include "dataplane/base/srtp/srtp_gcm.h"
#include "dataplane/base/srtp/srtp_index.h"
#include "tests/support/hex.h"

namespace castgate {
namespace {

SrtpMaster master_of(const char* key, const char* salt) {
  SrtpMaster master;
  const auto key_bytes = from_hex(key);
  const auto salt_bytes = from_hex(salt);
  std::ranges::copy(key_bytes, master.key.begin());
  std::ranges::copy(salt_bytes, master.salt.begin());
  master.bits = key_bytes.size() == 32 ? KeyBits::Aes256 : KeyBits::Aes128;
  return master;
}

std::string derived(const Ciphers& ciphers, const SrtpMaster& master, SrtpLabel label,
                    std::size_t length) {
  std::vector<std::byte> made(length);
  derive_srtp_key(ciphers, master, label, made);
  return to_hex(made);
}

TEST(SrtpVectorsTest, keys_are_derived_as_rfc_3711_b3_prints_it) {
  const Ciphers ciphers = *Ciphers::make();
  const SrtpMaster master =
      master_of("e1f97a0d3e018be0d64fa32c06de4139", "0ec675ad498afeebb6960b3aabe6");
  EXPECT_EQ(derived(ciphers, master, SrtpLabel::RtpKey, 16), "c61e7a93744f39ee10734afe3ff7a087");
  EXPECT_EQ(derived(ciphers, master, SrtpLabel::RtpSalt, 14), "30cbbc08863d8c85d49db34a9ae1");
  EXPECT_EQ(derived(ciphers, master, SrtpLabel::RtpAuth, 94),
            "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbcee049646c43d9327ad175"
            "578ef72270986371c10c9a369ac2f94a8c5fbcdddc256d6e919a48b610ef17c2041e474035766b68642c"
            "59bbfc2f34db60dbdfb2");
}

TEST(SrtpVectorsTest, keys_of_256_bits_are_derived_as_rfc_6188_prints_it) {
  const Ciphers ciphers = *Ciphers::make();
  const SrtpMaster master =
      master_of("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
                "3b04803de51ee7c96423ab5b78d2");
  EXPECT_EQ(derived(ciphers, master, SrtpLabel::RtpKey, 32),
            "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4");
  EXPECT_EQ(derived(ciphers, master, SrtpLabel::RtpSalt, 14), "fa31791685ca444a9e07c6c64e93");
}

// RFC 7714 16.1.1 and 17.1 print a packet under session keys; SrtpGcm derives its own, so what is
// seen here is GcmKey with the nonce and the bound header that the RFC names.
TEST(SrtpVectorsTest, a_packet_is_sealed_as_rfc_7714_16_prints_it) {
  const Ciphers ciphers = *Ciphers::make();
  const auto key = from_hex("000102030405060708090a0b0c0d0e0f");
  const auto nonce = from_hex("51753c6580c2726f20718414");
  const auto header = from_hex("8040f17b8041f8d35501a0b2");
  auto payload = from_hex(
      "47616c6c696120657374206f6d6e697320646976697361"
      "20696e207061727465732074726573");
  std::vector<std::byte> tag(GcmKey::kTag);
  const auto gcm = make_secret<GcmKey>(ciphers, key);
  gcm->seal(ciphers.manager(), {.to = payload.data(),
                                .from = payload.data(),
                                .length = payload.size(),
                                .nonce = nonce.data(),
                                .bound = header,
                                .tag = tag.data()});
  EXPECT_EQ(to_hex(payload),
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833");
  EXPECT_EQ(to_hex(tag), "899d7f27beb16a9152cf765ee4390cce");
}

// RFC 3711 3.3.1 in its own words: v of ROC - 1, ROC, ROC + 1.
std::uint64_t as_the_rfc_says(std::uint64_t highest, std::uint16_t sequence) {
  const std::int64_t roll_over = static_cast<std::int64_t>(highest >> 16);
  const std::int64_t s_l = static_cast<std::int64_t>(highest % 65'536);
  const std::int64_t seq = sequence;
  std::int64_t v = roll_over;
  if (s_l < 32'768) {
    if (seq - s_l > 32'768) v = roll_over - 1;
  } else if (s_l - 32'768 > seq) {
    v = roll_over + 1;
  }
  return static_cast<std::uint64_t>(seq + v * 65'536);
}

TEST(SrtpVectorsTest, the_index_is_the_one_that_rfc_3711_3_3_1_computes) {
  for (std::uint64_t highest = 327'680; highest < 458'752; highest += 97) {
    for (std::uint32_t sequence = 0; sequence < 65'536; sequence += 61) {
      const auto told = static_cast<std::uint16_t>(sequence);
      ASSERT_EQ(nearest_srtp_index(highest, told), as_the_rfc_says(highest, told));
    }
  }
  EXPECT_EQ(nearest_srtp_index(0x2'fffe, 3), 0x3'0003u);
  EXPECT_EQ(nearest_srtp_index(0x3'0003, 0xfffe), 0x2'fffeu);
  EXPECT_GE(nearest_srtp_index(3, 0xfffe), kSrtpIndexes);  // before the first
}

}  // namespace
}  // namespace castgate
