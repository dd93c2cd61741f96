// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/checksum.h"
#include "dataplane/replicate/output_template.h"
#include "dataplane/stage.h"

namespace castgate {

// What the outgoing headers take over from the packet as it was received. Read before writing:
// the new headers may lie over the old ones.
struct ReceivedHeaders {
  std::uint32_t pseudo_sum;  // of addresses and ports, as they lie in memory
  std::uint16_t udp_checksum;
  std::uint8_t tos;
  std::uint8_t ttl;
};

inline ReceivedHeaders read_headers(const std::uint8_t* frame, const PacketTag& tag) noexcept {
  const std::uint8_t* ip = frame + tag.l3_at;
  const std::uint8_t* udp = frame + tag.udp_at;
  ReceivedHeaders received;
  received.udp_checksum = load_raw<std::uint16_t>(udp + 6);
  if ((tag.flags & PacketTag::kIp6) == 0) [[likely]] {
    const std::uint64_t sum = std::uint64_t{load_raw<std::uint32_t>(ip + 12)} +
                              load_raw<std::uint32_t>(ip + 16) + load_raw<std::uint32_t>(udp);
    received.pseudo_sum = fold_sum(sum);
    received.tos = ip[1];
    received.ttl = ip[8];
  } else {
    received.pseudo_sum = fold_sum(ones_sum(ip + 8, 32) + load_raw<std::uint32_t>(udp));
    received.tos = static_cast<std::uint8_t>(load_be16(ip) >> 4);
    received.ttl = ip[7];
  }
  return received;
}

// RFC 1624, with sums of what changed: addresses and ports. Zero stays zero: no checksum.
inline std::uint16_t moved_checksum(const ReceivedHeaders& received, std::uint16_t to) noexcept {
  if (received.udp_checksum == 0) return 0;
  const std::uint32_t sum = static_cast<std::uint16_t>(~received.udp_checksum) +
                            static_cast<std::uint32_t>(0xffff - received.pseudo_sum) + to;
  const auto checksum = static_cast<std::uint16_t>(~fold_sum(sum));
  return checksum == 0 ? std::uint16_t{0xffff} : checksum;
}

// Writes the headers of `output` so that they end at `end`; the payload may lie elsewhere. The
// caller has seen to the room, MTU and TTL.
inline void write_headers(std::uint8_t* end, std::span<const std::uint8_t> payload,
                          const ReceivedHeaders& received, const OutputTemplate& output) noexcept {
  const auto payload_length = static_cast<std::uint16_t>(payload.size());
  std::uint8_t* start = end - output.length;
  if (output.is_short()) [[likely]] {
    std::memcpy(start, output.header.data(), OutputTemplate::kShort);
  } else {
    std::memcpy(start, output.long_header.data(), output.length);
  }
  std::uint8_t* ip = start + output.l3_at;
  std::uint8_t* udp = end - 8;
  const auto udp_length = static_cast<std::uint16_t>(payload_length + 8);
  const auto tos = static_cast<std::uint8_t>(output.tos | (received.tos & output.tos_keep));
  const auto ttl = output.ttl != 0 ? output.ttl : static_cast<std::uint8_t>(received.ttl - 1);
  store_be16(udp + 4, udp_length);
  std::uint16_t checksum = moved_checksum(received, output.pseudo_sum);
  if (!output.is_v6) [[likely]] {
    const auto total = std::byteswap(static_cast<std::uint16_t>(udp_length + 20));
    const auto id = std::byteswap(static_cast<std::uint16_t>(output.packets));
    const std::uint32_t sum =
        output.ip_sum + std::uint32_t{total} + id + (std::uint32_t{tos} << 8) + ttl;
    ip[1] = tos;
    std::memcpy(ip + 2, &total, 2);
    std::memcpy(ip + 4, &id, 2);
    ip[8] = ttl;
    const auto ip_checksum = static_cast<std::uint16_t>(~fold_sum(sum));
    std::memcpy(ip + 10, &ip_checksum, 2);
  } else {
    store_be16(ip, static_cast<std::uint16_t>(0x6000 | tos << 4));
    store_be16(ip + 4, udp_length);
    ip[7] = ttl;
    if (checksum == 0) {  // not allowed over IPv6: sum it all
      std::memset(udp + 6, 0, 2);
      const std::uint64_t sum = ones_sum(payload.data(), payload_length) + output.pseudo_sum +
                                2u * std::byteswap(udp_length) + (17u << 8);
      checksum = static_cast<std::uint16_t>(~fold_sum(sum));
      if (checksum == 0) checksum = 0xffff;
    }
  }
  std::memcpy(udp + 6, &checksum, 2);
}

}  // namespace castgate
