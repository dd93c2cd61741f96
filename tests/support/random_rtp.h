// SPDX-License-Identifier: Apache-2.0
// RTP of every shape for what is compared with libsrtp2.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <random>
#include <vector>

#include "dataplane/base/big_endian.h"

namespace castgate::test {

// CASTGATE_SRTP_PACKETS: how many, where it should be more than a second's worth.
inline std::uint64_t srtp_packets_wanted() {
  const char* told = std::getenv("CASTGATE_SRTP_PACKETS");
  return told == nullptr ? 12'000 : std::strtoull(told, nullptr, 10);
}

// 12 to 1460 bytes, with 0 to 15 CSRCs and an extension or none, as far as there is room.
template <class Byte>
std::vector<Byte> random_rtp(std::mt19937_64& random, std::uint64_t index, std::uint32_t ssrc) {
  constexpr std::size_t kHeader = 12;
  std::vector<Byte> packet(kHeader + random() % 1'449);
  for (Byte& byte : packet) byte = static_cast<Byte>(random());
  std::size_t words = (packet.size() - kHeader) / 4;
  const std::size_t sources = random() % (std::min<std::size_t>(words, 15) + 1);
  words -= sources;
  const bool extended = words != 0 && random() % 2 == 0;
  packet[0] = static_cast<Byte>(0x80 | sources | (extended ? 0x10 : 0));
  store_be16(packet.data() + 2, static_cast<std::uint16_t>(index));
  store_be32(packet.data() + 8, ssrc);
  if (extended) {
    const std::size_t most = std::min<std::size_t>(words, 20);
    store_be16(packet.data() + kHeader + 4 * sources + 2,
               static_cast<std::uint16_t>(random() % most));
  }
  return packet;
}

}  // namespace castgate::test
