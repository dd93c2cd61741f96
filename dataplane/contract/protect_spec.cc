// SPDX-License-Identifier: Apache-2.0
#include "dataplane/contract/protect_spec.h"

#include <utility>

#include "dataplane/base/esp/esp_gcm.h"

namespace castgate {
namespace {

constexpr unsigned kUdp = 8;

constexpr unsigned ip_header(bool v6) noexcept {
  return v6 ? 40 : 20;
}

}  // namespace

std::size_t key_file_bytes(const ProtectSpec& protect) noexcept {
  const std::size_t key = protect.key_bits / 8;
  switch (protect.profile) {
    case ProtectProfile::SrtpGcm:
      return key + 12;
    case ProtectProfile::SrtpCm:
      return key + 14;
    case ProtectProfile::EspTunnel:
    case ProtectProfile::EspTunnelPreserve:
    case ProtectProfile::EspTransport:
      return key + 4;
    case ProtectProfile::None:
      break;
  }
  std::unreachable();
}

unsigned srtp_growth(const ProtectSpec& protect) noexcept {
  return protect.mki_bytes +
         (protect.profile == ProtectProfile::SrtpCm ? protect.tag_bits / 8 : 16);
}

unsigned protected_packet(const ProtectSpec& protect, unsigned payload,
                          const OuterHeaders& outer) noexcept {
  const unsigned headers = ip_header(outer.v6) + (outer.raw_esp ? 0 : kUdp);
  if (!protect.is_on()) return headers + payload;
  if (protect.is_srtp()) return headers + payload + srtp_growth(protect);
  const bool is_tunnel = protect.profile != ProtectProfile::EspTransport;
  const unsigned inner = is_tunnel ? ip_header(!protect.inner.to.address.is_v4()) : 0;
  return headers + static_cast<unsigned>(EspShape::sealed(inner + kUdp + payload));
}

}  // namespace castgate
