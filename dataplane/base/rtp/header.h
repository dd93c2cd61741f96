// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/big_endian.h"

namespace castgate {

inline constexpr std::size_t kRtpHeader = 12;  // without CSRCs and extension (RFC 3550 5.1)

// Bytes of the header that a UDP payload begins with, CSRCs and extension included; 0 where it is
// no RTP packet: shorter than that, or of another version.
inline std::size_t rtp_header_length(const std::byte* payload, std::size_t length) noexcept {
  constexpr unsigned kVersion = 0x80;
  constexpr unsigned kExtension = 0x10;
  constexpr unsigned kSources = 0x0f;
  if (length < kRtpHeader) return 0;
  const auto first = std::to_integer<unsigned>(payload[0]);
  if ((first & 0xc0) != kVersion) return 0;
  std::size_t header = kRtpHeader + 4 * static_cast<std::size_t>(first & kSources);
  if ((first & kExtension) != 0) {
    if (header + 4 > length) return 0;
    header += 4 + 4 * static_cast<std::size_t>(load_be16(payload + header + 2));
  }
  return header <= length ? header : 0;
}

// RTCP in RTP's UDP port: its packet types are no payload types there (RFC 5761 4).
inline bool is_rtcp(std::span<const std::byte> payload) noexcept {
  return payload.size() >= 2 && std::to_integer<unsigned>(payload[0]) >> 6 == 2 &&
         std::to_integer<unsigned>(payload[1]) >> 5 == 6;
}

// What of a UDP payload is RTP's own: at its front the header, at its back the padding.
struct RtpFrame {
  std::size_t header = 0;
  std::size_t padding = 0;
};

// False where the padding is none or reaches into the header; of the rest as rtp_header_length().
inline bool find_rtp_frame(const std::byte* payload, std::size_t length, RtpFrame& frame) noexcept {
  constexpr unsigned kPadding = 0x20;
  frame = {rtp_header_length(payload, length), 0};
  if (frame.header == 0) return false;
  if ((std::to_integer<unsigned>(payload[0]) & kPadding) == 0) return true;
  frame.padding = std::to_integer<std::size_t>(payload[length - 1]);
  return frame.padding != 0 && frame.padding <= length - frame.header;
}

}  // namespace castgate
