// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "dataplane/base/address.h"

namespace castgate {

enum class Layer : std::uint8_t {
  EthernetAddresses,
  VlanTag,
  EtherType,
  Ipv4,
  Ipv6,
  Ip6Extension,
  Udp,
  Rtp,
  Payload,
  Padding
};

// A stretch of the frame, in bytes from its beginning.
struct LayerSpan {
  Layer layer = Layer::Payload;
  std::size_t offset = 0;
  std::size_t length = 0;
};

struct RtpFields {
  std::uint8_t payload_type = 0;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
};

// A frame for a person's eyes: what it is made of, as far as it can be understood. `layers` are
// adjacent and cover the frame; a field is set where its layer was whole.
struct Dissection {
  std::vector<LayerSpan> layers;
  MacAddress mac_destination;
  MacAddress mac_source;
  std::vector<std::uint16_t> vlans;  // outermost first
  std::uint16_t ether_type = 0;
  std::optional<IpAddress> destination;
  std::optional<IpAddress> source;
  std::uint8_t ttl = 0;                         // or hop limit
  std::uint8_t protocol = 0;                    // after IPv6 extension headers
  std::optional<std::uint16_t> fragment_bytes;  // where a fragment's bytes belong in its packet
  std::optional<std::uint16_t> destination_port;
  std::uint16_t source_port = 0;
  std::optional<RtpFields> rtp;
  std::size_t payload_length = 0;
  std::string_view fault;  // where understanding ended early; else empty
};

// Slow and allocating: for messages and files, not for a worker. RTP is guessed from its version.
Dissection dissect(std::span<const std::byte> frame);

}  // namespace castgate
