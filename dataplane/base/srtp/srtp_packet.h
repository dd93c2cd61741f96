// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace castgate {

// An RTP packet in memory, without tag and MKI.
struct SrtpPacket {
  std::byte* at;
  std::size_t length;
  std::size_t header;   // rtp_header_length(), not 0
  std::uint64_t index;  // 48 bits; given out once for each key (ReplayWindow)
};

}  // namespace castgate
