// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "dataplane/base/rtp/header.h"
#include "dataplane/base/srtp/srtp_packet.h"

namespace castgate {

// An SRTP packet as it came, whose index is still to be found.
struct InboundPacket {
  SrtpPacket rtp{};
  std::uint32_t ssrc = 0;
  std::uint16_t sequence = 0;
};

// Of a UDP payload that ends with a tag of `tag` bytes. False where it holds no whole RTP header
// and tag.
inline bool read_inbound(std::byte* payload, std::size_t length, std::size_t tag,
                         InboundPacket& packet) noexcept {
  constexpr std::size_t kSequenceAt = 2;
  constexpr std::size_t kSsrcAt = 8;
  const std::size_t without = length - std::min(length, tag);
  const std::size_t header = rtp_header_length(payload, without);
  if (header == 0) return false;
  packet = {{payload, without, header, 0},
            load_be32(payload + kSsrcAt),
            load_be16(payload + kSequenceAt)};
  return true;
}

}  // namespace castgate
