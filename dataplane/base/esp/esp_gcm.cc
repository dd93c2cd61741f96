// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/esp/esp_gcm.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/big_endian.h"

namespace castgate {
namespace {

constexpr std::size_t kIvAt = 8;

}  // namespace

EspGcm::EspGcm(const Ciphers& ciphers, const EspMaster& master, bool extended)
    : key_(ciphers, master.key_span()), salt_(master.salt), extended_(extended) {}

// RFC 4106 5: SPI and sequence number, all 64 bits of it where they are extended.
EspGcm::Bound EspGcm::bound_to(std::uint32_t spi, std::uint64_t sequence) const noexcept {
  Bound bound;
  store_be32(bound.bytes.data(), spi);
  bound.length = extended_ ? 12 : 8;
  if (extended_) {
    store_be(bound.bytes.data() + 4, sequence);
  } else {
    store_be32(bound.bytes.data() + 4, static_cast<std::uint32_t>(sequence));
  }
  return bound;
}

std::array<std::byte, GcmKey::kNonce> EspGcm::nonce_of(const std::byte* iv) const noexcept {
  std::array<std::byte, GcmKey::kNonce> nonce;
  std::memcpy(nonce.data(), salt_.data(), salt_.size());
  std::memcpy(nonce.data() + salt_.size(), iv, 8);
  return nonce;
}

void EspGcm::seal(IMB_MGR* manager, std::byte* to, std::span<const std::byte> inner,
                  std::uint8_t next_header, const Numbers& numbers) const noexcept {
  store_be32(to, numbers.spi);
  store_be32(to + 4, static_cast<std::uint32_t>(numbers.sequence));
  store_be(to + kIvAt, numbers.iv);
  const std::size_t padding = EspShape::padding(inner.size());
  std::byte* sealed = to + EspShape::kHead;
  // Padding and trailer are encrypted with the rest: it has to lie together.
  if (sealed != inner.data()) std::memcpy(sealed, inner.data(), inner.size());
  constexpr std::array kPadding{std::byte{1}, std::byte{2}, std::byte{3}};
  std::byte* trailer = std::copy_n(kPadding.begin(), padding, sealed + inner.size());
  trailer[0] = static_cast<std::byte>(padding);
  trailer[1] = static_cast<std::byte>(next_header);
  const std::size_t encrypted = inner.size() + padding + EspShape::kTrailer;
  const Bound bound = bound_to(numbers.spi, numbers.sequence);
  const auto nonce = nonce_of(to + kIvAt);
  key_.seal(manager, {.to = sealed,
                      .from = sealed,
                      .length = encrypted,
                      .nonce = nonce.data(),
                      .bound = {bound.bytes.data(), bound.length},
                      .tag = sealed + encrypted});
}

std::expected<EspGcm::Opened, EspGcm::Fault> EspGcm::open(IMB_MGR* manager,
                                                          std::span<std::byte> packet,
                                                          std::uint64_t sequence) const noexcept {
  std::byte* inner = packet.data() + EspShape::kHead;
  const std::size_t encrypted = packet.size() - EspShape::kHead - EspShape::kIcv;
  const Bound bound = bound_to(load_be32(packet.data()), sequence);
  const auto nonce = nonce_of(packet.data() + kIvAt);
  if (!key_.open(manager, {.to = inner,
                           .from = inner,
                           .length = encrypted,
                           .nonce = nonce.data(),
                           .bound = {bound.bytes.data(), bound.length},
                           .tag = inner + encrypted}))
    return std::unexpected(Fault::Forged);
  const std::byte* trailer = inner + encrypted - EspShape::kTrailer;
  const auto padding = std::to_integer<std::size_t>(trailer[0]);
  if (padding > encrypted - EspShape::kTrailer) return std::unexpected(Fault::Malformed);
  for (std::size_t i = 0; i < padding; ++i) {
    if (*(trailer - padding + i) != static_cast<std::byte>(i + 1))
      return std::unexpected(Fault::Malformed);
  }
  return Opened{{inner, encrypted - EspShape::kTrailer - padding},
                std::to_integer<std::uint8_t>(trailer[1])};
}

}  // namespace castgate
