// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/esp/esp_inner.h"

#include <cstring>

#include "dataplane/base/checksum.h"

namespace castgate {
namespace {

constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kIp6Header = 40;

// What follows the header is UDP of `length` bytes now.
void mend_ip4(std::byte* ip, std::size_t header, std::size_t length) noexcept {
  store_be16(ip + 2, static_cast<std::uint16_t>(header + length));
  ip[9] = std::byte{kEspUdp};
  store_raw<std::uint16_t>(ip + 10, 0);
  store_raw(ip + 10, static_cast<std::uint16_t>(~fold_sum(ones_sum(ip, header))));
}

// With extension headers, of which the last one says what follows.
void mend_ip6(std::byte* ip, std::size_t headers, std::size_t length) noexcept {
  store_be16(ip + 4, static_cast<std::uint16_t>(headers - kIp6Header + length));
  std::byte* next = ip + 6;
  for (std::size_t at = kIp6Header; at < headers;) {
    next = ip + at;
    at += (std::to_integer<std::size_t>(ip[at + 1]) + 1) * 8;
  }
  *next = std::byte{kEspUdp};
}

// `length`: of the datagram with its header.
std::optional<EspFault> read_transported(const EspFrame& frame, const EspSelector& selector,
                                         std::size_t& length) noexcept {
  if (frame.next_header != kEspUdp || frame.inside.size() < kUdpHeader)
    return EspFault::InnerMalformed;
  const std::byte* udp = frame.inside.data();
  length = load_be16(udp + 4);
  if (length < kUdpHeader || length > frame.inside.size()) return EspFault::InnerMalformed;
  if (frame.is_v6 && load_be16(udp + 6) == 0) return EspFault::InnerMalformed;
  if (selector.to && load_be16(udp + 2) != selector.to->udp_port) return EspFault::OtherSelector;
  return std::nullopt;
}

// The first `length` bytes of the frame now end where the inside begins.
std::size_t move_headers(const EspFrame& frame, std::size_t length) noexcept {
  const auto inside = static_cast<std::size_t>(frame.inside.data() - frame.bytes.data());
  std::memmove(frame.bytes.data() + inside - length, frame.bytes.data(), length);
  return inside - length;
}

}  // namespace

std::optional<EspFault> read_tunnelled(std::span<const std::byte> inner, std::uint8_t next_header,
                                       const EspSelector& selector, PacketLayout& layout) noexcept {
  if (next_header != kEspIp4 && next_header != kEspIp6) return EspFault::InnerMalformed;
  const bool is_v6 = next_header == kEspIp6;
  if (parse_ip(inner, 0, is_v6, {}, layout) != ParseVerdict::Udp) return EspFault::InnerMalformed;
  const Endpoint to{layout.destination, layout.destination_port};
  if (selector.to && *selector.to != to) return EspFault::OtherSelector;
  if (selector.source && *selector.source != layout.source) return EspFault::OtherSelector;
  return std::nullopt;
}

std::expected<ClearFrame, EspFault> clear_frame(const EspFrame& frame,
                                                const EspSelector& selector) noexcept {
  if (!selector.transport) {
    PacketLayout layout;
    const auto fault = read_tunnelled(frame.inside, frame.next_header, selector, layout);
    if (fault) return std::unexpected(*fault);
    const std::size_t begin = move_headers(frame, frame.l3_at);
    store_be16(frame.inside.data() - 2, layout.is_v6 ? 0x86dd : 0x0800);
    return ClearFrame{begin, frame.l3_at + layout.end, frame.l3_at + layout.udp_at, layout.is_v6};
  }
  std::size_t length = 0;
  const auto fault = read_transported(frame, selector, length);
  if (fault) return std::unexpected(*fault);
  const std::size_t begin = move_headers(frame, frame.l4_at);
  std::byte* ip = frame.bytes.data() + begin + frame.l3_at;
  (frame.is_v6 ? mend_ip6 : mend_ip4)(ip, frame.l4_at - frame.l3_at, length);
  return ClearFrame{begin, frame.l4_at + length, frame.l4_at, frame.is_v6};
}

}  // namespace castgate
