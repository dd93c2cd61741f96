// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace castgate {

// One line for a person:
//   vlan 43 239.9.0.1:5000 ← 10.0.0.9:5000 ttl 16 RTP seq 1234 ts 90000 ssrc 0x01020304 188 B
//   payload
// A frame that is damaged is told as far as it goes, and then what is wrong with it.
std::string describe(std::span<const std::byte> frame);

// The field that the byte at `offset` belongs to: eth.dst, ip.ttl, udp.checksum, rtp.sequence,
// payload+17, padding+0. "end" past the end.
std::string field_at(std::span<const std::byte> frame, std::size_t offset);

}  // namespace castgate
