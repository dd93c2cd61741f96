// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/esp/esp_gcm.h"

#include <algorithm>

#include "dataplane/base/check.h"

namespace castgate {

Secret<EspMaster> read_esp_master(std::span<const std::byte> bytes, KeyBits bits) {
  auto master = make_secret<EspMaster>();
  CG_CHECK(bytes.size() == key_bytes(bits) + master->salt.size());
  master->bits = bits;
  std::ranges::copy(bytes.first(key_bytes(bits)), master->key.begin());
  std::ranges::copy(bytes.subspan(key_bytes(bits)), master->salt.begin());
  return master;
}

EspGcm::EspGcm(const Ciphers& ciphers, const EspMaster& master, bool extended)
    : key_(ciphers, master.key_span()), salt_(master.salt), extended_(extended) {}

std::expected<EspGcm::Opened, EspGcm::Fault> EspGcm::open(IMB_MGR* manager,
                                                          std::span<std::byte> packet,
                                                          std::uint64_t sequence) const noexcept {
  std::byte* inner = packet.data() + EspShape::kHead;
  const std::size_t encrypted = packet.size() - EspShape::kHead - EspShape::kIcv;
  std::array<std::byte, 12> bound;
  write_bound(bound, load_be32(packet.data()), sequence);
  const auto nonce = nonce_of(packet.data() + kIvAt);
  if (!key_.open(manager, {.to = inner,
                           .from = inner,
                           .length = encrypted,
                           .nonce = nonce.data(),
                           .bound = {bound.data(), bound_length()},
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
