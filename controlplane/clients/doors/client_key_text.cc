// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <iterator>

#include "controlplane/clients/doors/rest_text.h"
#include "pipelines/key_entry.h"

namespace castgate {
namespace {

constexpr std::size_t kRoom = 512;  // what is written here, and more

// As SDES calls them (RFC 4568, 6188, 7714).
std::string_view suite_of(const ProtectSpec& protect) {
  const bool wide = protect.key_bits == 256;
  if (protect.profile == ProtectProfile::SrtpGcm)
    return wide ? "AEAD_AES_256_GCM" : "AEAD_AES_128_GCM";
  if (protect.tag_bits == 32) return wide ? "AES_256_CM_HMAC_SHA1_32" : "AES_CM_128_HMAC_SHA1_32";
  return wide ? "AES_256_CM_HMAC_SHA1_80" : "AES_CM_128_HMAC_SHA1_80";
}

// Digit by digit into its place, so that no other memory has any of it.
void put_base64(std::string& text, std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  unsigned held = 0;
  unsigned bits = 0;
  for (const std::byte byte : bytes) {
    held = held << 8 | std::to_integer<unsigned>(byte);
    for (bits += 8; bits >= 6; bits -= 6) text += kDigits[held >> (bits - 6) & 63];
  }
  if (bits == 0) return;
  text += kDigits[held << (6 - bits) & 63];
  text += bits == 2 ? "==" : "=";
}

}  // namespace

void put_client_key(std::string& text, const ProtectSpec& protect, const ClientKey& key,
                    std::uint64_t sealed) {
  text.reserve(text.size() + kRoom);
  const auto out = std::back_inserter(text);
  fmt::format_to(out, R"(,"protect":{{"profile":"{}","key_bits":{},"tag_bits":{},"suite":"{}",)",
                 choice_text(kProtectNames, protect.profile), protect.key_bits,
                 8 * srtp_growth(protect), suite_of(protect));
  fmt::format_to(out, R"("ssrc":{},"roc":{},"key":")", key.ssrc, sealed >> 16);
  put_base64(text, key.key.bytes());
  text += "\"}}\n";
}

}  // namespace castgate
