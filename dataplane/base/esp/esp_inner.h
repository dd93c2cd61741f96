// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "dataplane/base/address.h"
#include "dataplane/base/esp/esp_inbound.h"
#include "dataplane/base/packet/parse.h"

namespace castgate {

// What an association carries: everything else inside is refused, genuine as it may be.
struct EspSelector {
  bool transport = false;           // without a second IP header
  std::optional<Endpoint> to;       // none: whatever it is; of transport mode the port alone
  std::optional<IpAddress> source;  // none: any
};

// A frame whose ESP has been opened in place.
struct EspFrame {
  std::span<std::byte> bytes;  // to the end of what was inside
  std::size_t l3_at = 0;       // its IP header
  std::size_t l4_at = 0;       // behind that: ESP's header, or that of UDP before it
  bool is_v6 = false;
  std::span<std::byte> inside;  // of `bytes`
  std::uint8_t next_header = 0;
};

// The frame that came in the clear, in the same memory.
struct ClearFrame {
  std::size_t begin = 0;  // bytes into the frame that it was
  std::size_t length = 0;
  std::size_t udp_at = 0;  // from `begin`
  bool is_v6 = false;
};

// Puts the headers before ESP where it was: of tunnel mode those before the IP header, of transport
// mode that as well. Inside must be a whole, unfragmented UDP datagram that the association is for;
// what lies behind its end is padding (RFC 4303 2.7).
std::expected<ClearFrame, EspFault> clear_frame(const EspFrame& frame,
                                                const EspSelector& selector) noexcept;

// Tunnel mode without a frame around it. `layout` counts from the IP header inside.
std::optional<EspFault> read_tunnelled(std::span<const std::byte> inner, std::uint8_t next_header,
                                       const EspSelector& selector, PacketLayout& layout) noexcept;

}  // namespace castgate
