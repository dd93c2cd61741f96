// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/rtp/header.h"
#include "dataplane/base/sequence/located.h"

namespace castgate {

// RTP (RFC 3550 5.1): sequence number, 16 bits. `payload`: the UDP payload, `length` bytes. False
// when it is no RTP packet: too short for its header, CSRCs and extension, or of another version.
inline bool locate_rtp(const std::byte* payload, std::size_t length, Located& where) noexcept {
  constexpr unsigned kVersion = 0x80;
  constexpr unsigned kPadding = 0x20;
  if (length < kRtpHeader) return false;
  const auto first = std::to_integer<unsigned>(payload[0]);
  if ((first & ~kPadding) != kVersion) [[unlikely]] {
    if (rtp_header_length(payload, length) == 0) return false;
  }
  where = {load_be16(payload + 2), load_be32(payload + 8)};
  return true;
}

// RTP with the extended sequence number of RFC 4175 4.1 behind the header (SMPTE ST 2110-20): its
// 16 bits are the high half of a 32-bit position.
inline bool locate_rtp_extended(const std::byte* payload, std::size_t length,
                                Located& where) noexcept {
  if (!locate_rtp(payload, length, where)) return false;
  const std::size_t header = rtp_header_length(payload, length);
  if (header + 2 > length) return false;
  where.raw |= static_cast<std::uint64_t>(load_be16(payload + header)) << 16;
  return true;
}

}  // namespace castgate
