// SPDX-License-Identifier: Apache-2.0
// Frames to clients as a receiver reads them: lengths and checksums summed from what stands there,
// with nothing of what made them.
#pragma once

#include <cstdint>
#include <cstring>

#include "tests/support/quiet_eal.h"

namespace castgate::test {

// RFC 1071: a sum of ones' complements, in the machine's order of bytes. Zero bytes add nothing.
class Sum {
 public:
  void add(const std::uint8_t* bytes, std::size_t length) {
    for (; length >= 4; bytes += 4, length -= 4) {
      std::uint32_t word = 0;
      std::memcpy(&word, bytes, 4);
      sum_ += word;
    }
    std::uint32_t rest = 0;
    std::memcpy(&rest, bytes, length);
    sum_ += rest;
  }
  void add16(unsigned value) {
    const Bytes bytes{static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
    add(bytes.data(), bytes.size());
  }
  bool is_right() const {
    std::uint64_t sum = sum_;
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
  }

 private:
  std::uint64_t sum_ = 0;
};

// What a frame says; `fault` where it is none that may leave.
struct ReadFrame {
  const char* fault = nullptr;
  std::uint32_t client = 0;  // the low end of its address
  unsigned tags = 0;
  unsigned number = 0;  // RTP
  bool has_sum = true;
  const std::uint8_t* payload = nullptr;
  std::size_t length = 0;
};

inline unsigned be16(const std::uint8_t* at) {
  return at[0] * 256u + at[1];
}

// A header in one segment; the payload behind it, or in a second one.
inline ReadFrame read_frame(const rte_mbuf* packet) {
  const auto* frame = rte_pktmbuf_mtod(packet, const std::uint8_t*);
  ReadFrame found;
  std::size_t at = 12;
  for (; be16(frame + at) == 0x8100 || be16(frame + at) == 0x88a8; at += 4) ++found.tags;
  const bool v6 = be16(frame + at) == 0x86dd;
  at += 2;
  const std::uint8_t* ip = frame + at;
  const std::size_t header = v6 ? 40 : 20;
  const std::uint8_t* udp = ip + header;
  const std::size_t inside = packet->data_len - at - header - 8;
  found.payload = packet->next == nullptr ? udp + 8 : rte_pktmbuf_mtod(packet->next, std::uint8_t*);
  found.length = packet->next == nullptr ? inside : packet->next->data_len;
  const std::size_t datagram = 8 + found.length;
  if (packet->next != nullptr && inside != 0) found.fault = "payload in both segments";
  if (packet->pkt_len != at + header + datagram) found.fault = "length of the packet";
  if (be16(udp + 4) != datagram) found.fault = "length of UDP";
  if (be16(ip + (v6 ? 4 : 2)) != (v6 ? datagram : 20 + datagram)) found.fault = "length of IP";
  if (ip[v6 ? 7 : 8] == 0) found.fault = "no TTL left";
  Sum of_ip;
  of_ip.add(ip, 20);
  if (!v6 && !of_ip.is_right()) found.fault = "checksum of IP";
  found.has_sum = be16(udp + 6) != 0;
  if (v6 && !found.has_sum) found.fault = "no checksum over IPv6";
  Sum of_udp;
  of_udp.add(ip + (v6 ? 8 : 12), v6 ? 32 : 8);
  of_udp.add16(17);
  of_udp.add16(static_cast<unsigned>(datagram));
  of_udp.add(udp, 8);
  of_udp.add(found.payload, found.length);
  if (found.has_sum && !of_udp.is_right()) found.fault = "checksum of UDP";
  const std::uint8_t* to = udp - 4;
  found.client = std::uint32_t{to[1]} << 16 | be16(to + 2);
  found.number = be16(found.payload + 2);
  return found;
}

}  // namespace castgate::test
