// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "dataplane/replicate/client_tag.h"
#include "dataplane/replicate/header_writer.h"

namespace castgate {

// Where a copy begins. PacketPool leaves nothing private before it.
[[gnu::always_inline]] inline std::uint8_t* room_of(rte_mbuf* packet) noexcept {
  return reinterpret_cast<std::uint8_t*>(packet) + sizeof(rte_mbuf) + RTE_PKTMBUF_HEADROOM;
}

// The description of a buffer as it comes from its pool, for a packet to a client: one owner, no
// offload. All of it but the client's slot is the same for every copy of a packet.
class CopyDescription {
 public:
  // `length`: of the whole packet; `first_segment`: what of it lies in the buffer itself.
  CopyDescription(unsigned segments, std::uint32_t length, std::uint32_t first_segment,
                  const ClientTag& tag) noexcept {
    rte_mbuf made{};
    made.data_off = RTE_PKTMBUF_HEADROOM;
    made.refcnt = 1;
    made.nb_segs = static_cast<std::uint16_t>(segments);
    made.port = RTE_MBUF_PORT_INVALID;
    made.pkt_len = length;
    made.data_len = static_cast<std::uint16_t>(first_segment);
    set_client_tag(&made, tag);
    std::memcpy(fields_.data(), &made.rearm_data, sizeof fields_);
  }

  [[gnu::always_inline]] void write(rte_mbuf* packet, std::uint32_t slot) const noexcept {
    std::memcpy(&packet->rearm_data, fields_.data(), sizeof fields_);
    packet->hash.fdir.hi = slot;
  }

 private:
  // From rearm_data to the first half of the tag, whose second half is the slot.
  std::array<std::uint64_t, 4> fields_;
};
static_assert(offsetof(rte_mbuf, hash) - offsetof(rte_mbuf, rearm_data) == 28);

// The headers of one packet's copies to plain clients of one output, as write_headers() makes them,
// with all that clients have in common summed up beforehand.
class PlainHeaders {
 public:
  // `output`: any of the clients; it is_plain().
  PlainHeaders(std::uint16_t payload, const ReceivedHeaders& received,
               const HeaderTemplate& output) noexcept {
    const auto udp_length = static_cast<std::uint16_t>(payload + 8);
    const auto total = static_cast<std::uint16_t>(udp_length + 20);
    const auto tos = static_cast<std::uint8_t>(output.tos | (received.tos & output.tos_keep));
    const Ip4Words words = bare_ip4_words(total, tos, output.ttl);
    first_ = words.first;
    second_ = words.second;
    ip_sum_ = std::byteswap(total) + (std::uint32_t{tos} << 8) + output.ttl;
    udp_ = std::byteswap(udp_length);
    // What is left when each client's own sum is taken away is its checksum, in 1 to 65535.
    const std::uint16_t own = ~moved_sum(received);
    without_client_ = 0x10000u + (own == 0 ? 0xffffu : own) - 1;
    if (received.udp_checksum != 0) checksum_mask_ = 0xffff0000;
  }

  // The 42 bytes from `to` on.
  [[gnu::always_inline]] void write(std::uint8_t* to, const HeaderTemplate& output) const noexcept {
    const std::uint16_t id = std::byteswap(static_cast<std::uint16_t>(output.packets));
    const std::uint64_t first = first_ | std::uint64_t{id} << 32;
    const auto ip_checksum = static_cast<std::uint16_t>(~fold_sum32(ip_sum_ + output.ip_sum + id));
    const std::uint32_t second = second_ | std::uint32_t{ip_checksum} << 16;
    const std::uint32_t rest = without_client_ - output.pseudo_sum;
    const std::uint32_t udp = udp_ | ((rest + (rest >> 16)) << 16 & checksum_mask_);
    std::memcpy(to, output.header.data(), 16);
    std::memcpy(to + 14, &first, 8);
    std::memcpy(to + 22, &second, 4);
    std::memcpy(to + 26, output.header.data() + 26, 16);
    std::memcpy(to + 38, &udp, 4);
  }

 private:
  std::uint64_t first_;
  std::uint32_t second_;
  std::uint32_t ip_sum_;
  std::uint32_t udp_;
  std::uint32_t without_client_;
  std::uint32_t checksum_mask_ = 0;  // no checksum stays none
};

}  // namespace castgate
