// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include <rte_mbuf.h>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/checksum.h"
#include "dataplane/stage.h"

namespace castgate {

// The UDP payload of a packet that classify has tagged.
inline std::span<const std::byte> udp_payload(const rte_mbuf* packet,
                                              const PacketTag& tag) noexcept {
  const unsigned at = tag.udp_at + 8u;
  return {rte_pktmbuf_mtod_offset(packet, const std::byte*, at), packet->data_len - at};
}

// The payload is another: length and checksum of UDP follow it, so that what is made of them for
// the outputs is right. No checksum stays no checksum. `length`: of header and payload.
inline void refresh_udp(std::byte* frame, const PacketTag& tag, std::size_t length) noexcept {
  std::byte* udp = frame + tag.udp_at;
  store_be16(udp + 4, static_cast<std::uint16_t>(length));
  if (load_raw<std::uint16_t>(udp + 6) == 0) return;
  store_raw<std::uint16_t>(udp + 6, 0);
  const bool v6 = (tag.flags & PacketTag::kIp6) != 0;
  const std::byte* addresses = frame + tag.l3_at + (v6 ? 8 : 12);
  const std::uint64_t sum = ones_sum(addresses, v6 ? 32 : 8) + ones_sum(udp, length) +
                            std::byteswap(std::uint16_t{17}) +
                            std::byteswap(static_cast<std::uint16_t>(length));
  const auto checksum = static_cast<std::uint16_t>(~fold_sum(sum));
  store_raw<std::uint16_t>(udp + 6, checksum == 0 ? std::uint16_t{0xffff} : checksum);
}

}  // namespace castgate
