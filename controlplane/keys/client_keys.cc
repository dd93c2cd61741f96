// SPDX-License-Identifier: Apache-2.0
#include "controlplane/keys/client_keys.h"

#include <algorithm>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/check.h"

namespace castgate {
namespace {

constexpr std::string_view kSalt = "castgate client key 1";
constexpr std::size_t kNumbers = 8;  // SSRC, SPI
constexpr std::uint32_t kSpiBit = 0x80000000;

using Output = std::array<std::byte, KeyBytes::kMost + kNumbers>;

// OpenSSL's parameters are not const, though it only reads them.
OSSL_PARAM octets(const char* name, std::span<const std::byte> bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::byte*>(bytes.data()),
                                           bytes.size());
}

void hkdf(std::span<const std::byte> key, std::string_view info, std::span<std::byte> into) {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(
      EVP_KDF_fetch(nullptr, "HKDF", nullptr), EVP_KDF_free);
  CG_CHECK(kdf != nullptr);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(
      EVP_KDF_CTX_new(kdf.get()), EVP_KDF_CTX_free);
  std::string digest = "SHA256";
  const std::array parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      octets(OSSL_KDF_PARAM_KEY, key), octets(OSSL_KDF_PARAM_SALT, std::as_bytes(std::span(kSalt))),
      octets(OSSL_KDF_PARAM_INFO, std::as_bytes(std::span(info))), OSSL_PARAM_construct_end()};
  CG_CHECK(EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(into.data()), into.size(),
                          parameters.data()) == 1);
}

std::string info_of(std::string_view stream, const Endpoint& client, const ClientSession& session) {
  std::string info(stream);
  const auto& address = client.address.bytes();
  info.append(address.begin(), address.end());
  info += static_cast<char>(client.udp_port >> 8);
  info += static_cast<char>(client.udp_port & 0xff);
  info.append(session.begin(), session.end());
  return info;
}

}  // namespace

ClientSession new_client_session() {
  ClientSession session;
  CG_CHECK(RAND_bytes(session.data(), static_cast<int>(session.size())) == 1);
  return session;
}

ClientSession replay_session(std::uint64_t number) noexcept {
  ClientSession session{};
  for (std::size_t i = 0; i < sizeof number; ++i)
    session[session.size() - 1 - i] = static_cast<std::uint8_t>(number >> 8 * i);
  return session;
}

SharedClientKey client_key(const ProtectSpec& protect, std::string_view stream,
                           const Endpoint& client, const ClientSession& session) {
  CG_CHECK(protect.is_isolated() && !protect.keys.empty());
  const auto made = make_secret<Output>();
  const std::size_t length = key_file_bytes(protect);
  hkdf(protect.keys.front().key->bytes(), info_of(stream, client, session),
       {made->data(), length + kNumbers});
  const std::byte* numbers = made->data() + length;
  return make_secret<ClientKey>(std::span<const std::byte>(made->data(), length),
                                load_be32(numbers), load_be32(numbers + 4) | kSpiBit);
}

}  // namespace castgate
