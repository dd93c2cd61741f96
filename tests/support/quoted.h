// SPDX-License-Identifier: Apache-2.0
// What an ICMP error quotes of a packet.
#pragma once

#include <algorithm>

#include "dataplane/contract/clients.h"
#include "tests/support/packets.h"

namespace castgate::test {

// `udp`: header and payload, of which so many bytes are quoted.
inline QuotedPacket quote_of(const Bytes& udp, std::size_t bytes) {
  QuotedPacket quote{.udp_length = static_cast<std::uint16_t>(get16(udp, 4)),
                     .udp_checksum = static_cast<std::uint16_t>(get16(udp, 6)),
                     .begin = {},
                     .begin_bytes = 0};
  for (std::size_t at = 8; at < std::min({bytes, udp.size(), std::size_t{16}}); ++at)
    quote.begin[quote.begin_bytes++] = udp[at];
  return quote;
}

}  // namespace castgate::test
