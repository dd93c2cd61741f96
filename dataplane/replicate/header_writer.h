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
  std::uint64_t pseudo_sum;  // of addresses and ports, as they lie in memory; not folded
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
    received.pseudo_sum = std::uint64_t{load_raw<std::uint32_t>(ip + 12)} +
                          load_raw<std::uint32_t>(ip + 16) + load_raw<std::uint32_t>(udp);
    received.tos = ip[1];
    received.ttl = ip[8];
  } else {
    received.pseudo_sum = fold_sum(ones_sum(ip + 8, 32) + load_raw<std::uint32_t>(udp));
    received.tos = static_cast<std::uint8_t>(load_be16(ip) >> 4);
    received.ttl = ip[7];
  }
  return received;
}

// The sum of all that the UDP checksum covers but addresses and ports.
inline std::uint16_t moved_sum(const ReceivedHeaders& received) noexcept {
  return fold_sum(sum_without(received.udp_checksum, received.pseudo_sum));
}

// What changed are addresses and ports.
inline std::uint16_t moved_checksum(const ReceivedHeaders& received, std::uint16_t to) noexcept {
  return updated_checksum(received.udp_checksum, received.pseudo_sum, to);
}

// As if the packet had been received with the checksum that it could have had. Reads all of it.
inline ReceivedHeaders with_checksum(const ReceivedHeaders& received,
                                     std::span<const std::uint8_t> payload) noexcept {
  constexpr std::uint64_t kUdp = 17u << 8;
  const auto length_be = std::byteswap(static_cast<std::uint16_t>(payload.size() + 8));
  const std::uint64_t sum = ones_sum(payload.data(), payload.size()) + received.pseudo_sum + kUdp +
                            std::uint64_t{2} * length_be;
  ReceivedHeaders made = received;
  made.udp_checksum = static_cast<std::uint16_t>(~fold_sum(sum));
  if (made.udp_checksum == 0) made.udp_checksum = 0xffff;
  return made;
}

// What of an IPv4 header is the packet's own, as its first twelve bytes lie in memory.
struct Ip4Words {
  std::uint64_t first;   // version to fragment
  std::uint32_t second;  // TTL to checksum
};

inline constexpr std::uint8_t kIpUdp = 17;
inline constexpr std::uint8_t kIpEsp = 50;

// Without checksum and identification.
inline Ip4Words bare_ip4_words(std::uint16_t total, std::uint8_t tos, std::uint8_t ttl,
                               std::uint8_t protocol = kIpUdp) noexcept {
  constexpr std::uint64_t kFixed = 0x0040000000000045;  // version, header length, do not fragment
  return {kFixed | std::uint32_t{tos} << 8 | std::uint64_t{std::byteswap(total)} << 16,
          ttl | std::uint32_t{protocol} << 8};
}

inline Ip4Words ip4_words(std::uint16_t total, std::uint8_t tos, std::uint8_t ttl,
                          const HeaderTemplate& output, std::uint8_t protocol = kIpUdp) noexcept {
  const std::uint16_t id = std::byteswap(static_cast<std::uint16_t>(output.packets));
  const std::uint32_t own = std::byteswap(total) + (std::uint32_t{tos} << 8) + ttl + id;
  const auto checksum = static_cast<std::uint16_t>(~fold_sum32(output.ip_sum + own));
  Ip4Words words = bare_ip4_words(total, tos, ttl, protocol);
  words.first |= std::uint64_t{id} << 32;
  words.second |= std::uint32_t{checksum} << 16;
  return words;
}

// Over the headers of a plain frame (PacketTag::kPlain) of `length` bytes those of a plain output.
// Everything is read before anything is written: what is written may be anything to the compiler.
inline void write_plain_headers(std::uint8_t* frame, std::uint32_t length,
                                const HeaderTemplate& output) noexcept {
  const ReceivedHeaders received =
      read_headers(frame, std::bit_cast<PacketTag>(std::uint64_t{PacketTag::kPlain} << 32));
  const auto tos = static_cast<std::uint8_t>(output.tos | (received.tos & output.tos_keep));
  const Ip4Words ip = ip4_words(static_cast<std::uint16_t>(length - 14), tos, output.ttl, output);
  const std::uint32_t udp = std::byteswap(static_cast<std::uint16_t>(length - 34)) |
                            std::uint32_t{moved_checksum(received, output.pseudo_sum)} << 16;
  std::memcpy(frame, output.header.data(), HeaderTemplate::kShort);
  std::memcpy(frame + 14, &ip.first, 8);
  std::memcpy(frame + 22, &ip.second, 4);
  std::memcpy(frame + 38, &udp, 4);
}

// Untagged IPv4 and no UDP, for a TTL of the output's own.
inline void write_plain_raw_headers(std::uint8_t* end, std::size_t sealed,
                                    std::uint8_t received_tos,
                                    const HeaderTemplate& output) noexcept {
  const auto tos = static_cast<std::uint8_t>(output.tos | (received_tos & output.tos_keep));
  const auto total = static_cast<std::uint16_t>(sealed + 20);
  const Ip4Words words = ip4_words(total, tos, output.ttl, output, kIpEsp);
  std::uint8_t* start = end - HeaderTemplate::kRaw;
  std::memcpy(start, output.header.data(), HeaderTemplate::kRaw);
  std::memcpy(start + 14, &words.first, 8);
  std::memcpy(start + 22, &words.second, 4);
}

// The same for a raw output: of the ESP packet that follows nothing is looked at.
inline void write_raw_headers(std::uint8_t* end, std::size_t sealed, std::uint8_t tos,
                              std::uint8_t ttl, const HeaderTemplate& output) noexcept {
  std::uint8_t* ip = end - (output.length - output.l3_at);
  if (output.is_v6) {
    store_be16(ip, static_cast<std::uint16_t>(0x6000 | tos << 4));
    store_be16(ip + 4, static_cast<std::uint16_t>(sealed));
    ip[7] = ttl;
    return;
  }
  const Ip4Words words =
      ip4_words(static_cast<std::uint16_t>(sealed + 20), tos, ttl, output, kIpEsp);
  std::memcpy(ip, &words.first, 8);
  std::memcpy(ip + 8, &words.second, 4);
}

// Writes the headers of `output` so that they end at `end`; the payload may lie elsewhere. The
// caller has seen to the room, MTU and TTL. `long_header` is read where they are not short.
inline void write_headers(std::uint8_t* end, std::span<const std::uint8_t> payload,
                          const ReceivedHeaders& received, const HeaderTemplate& output,
                          const LongHeader& long_header) noexcept {
  const auto payload_length = static_cast<std::uint16_t>(payload.size());
  std::uint8_t* start = end - output.length;
  const auto tos = static_cast<std::uint8_t>(output.tos | (received.tos & output.tos_keep));
  const auto ttl = output.ttl != 0 ? output.ttl : static_cast<std::uint8_t>(received.ttl - 1);
  if (output.is_short()) [[likely]] {
    std::memcpy(start, output.header.data(), HeaderTemplate::kShort);
  } else {
    std::memcpy(start, long_header.data(), output.length);
    if (output.is_raw()) return write_raw_headers(end, payload.size(), tos, ttl, output);
  }
  std::uint8_t* ip = start + output.l3_at;
  std::uint8_t* udp = end - 8;
  const auto udp_length = static_cast<std::uint16_t>(payload_length + 8);
  std::uint16_t checksum = moved_checksum(received, output.pseudo_sum);
  if (!output.is_v6) [[likely]] {
    const Ip4Words words = ip4_words(static_cast<std::uint16_t>(udp_length + 20), tos, ttl, output);
    std::memcpy(ip, &words.first, 8);
    std::memcpy(ip + 8, &words.second, 4);
  } else {
    store_be16(ip, static_cast<std::uint16_t>(0x6000 | tos << 4));
    store_be16(ip + 4, udp_length);
    ip[7] = ttl;
    if (checksum == 0) {  // not allowed over IPv6
      const ReceivedHeaders summed = with_checksum(received, payload);
      checksum = moved_checksum(summed, output.pseudo_sum);
    }
  }
  const std::uint32_t last = std::byteswap(udp_length) | std::uint32_t{checksum} << 16;
  std::memcpy(udp + 4, &last, 4);
}

}  // namespace castgate
