// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "dataplane/contract/clients.h"
#include "dataplane/stage.h"

namespace castgate {

// What a packet to a client carries instead of PacketTag, so that the client is known where its
// packet does not leave.
struct ClientTag {
  static constexpr std::uint8_t kLeg = 0xfe;  // in the place of PacketTag::leg
  static constexpr unsigned kSlotBits = 24;   // above them is the part of the output's clients

  std::uint16_t stream = 0;
  std::uint16_t unicast = 0;
  std::uint32_t slot = 0;

  constexpr std::uint32_t slot_in_part() const noexcept { return slot & ((1u << kSlotBits) - 1); }
  constexpr unsigned part() const noexcept { return slot >> kSlotBits; }
};

inline void set_client_tag(rte_mbuf* packet, const ClientTag& tag) noexcept {
  const std::uint64_t value = tag.stream | std::uint64_t{ClientTag::kLeg} << 16 |
                              std::uint64_t{tag.unicast & 0xffu} << 24 |
                              std::uint64_t{tag.slot} << 32;
  std::memcpy(&packet->hash, &value, sizeof value);
}

inline bool is_to_client(const PacketTag& tag) noexcept {
  return tag.leg == ClientTag::kLeg;
}

// Expects is_to_client().
inline ClientTag client_tag_of(const PacketTag& tag) noexcept {
  const auto value = std::bit_cast<std::uint64_t>(tag);
  return {
      .stream = tag.stream, .unicast = tag.worker, .slot = static_cast<std::uint32_t>(value >> 32)};
}

constexpr DropReason drop_reason(ClientDrop why) noexcept {
  switch (why) {
    case ClientDrop::TxFull:
      return DropReason::TxFull;
    case ClientDrop::Mtu:
      return DropReason::Mtu;
    case ClientDrop::NoNeighbour:
      return DropReason::NoNeighbour;
    case ClientDrop::Quota:
      return DropReason::Quota;
    case ClientDrop::TtlExpired:
      return DropReason::TtlExpired;
    case ClientDrop::NotSealed:
      return DropReason::KeySpent;
    default:
      return DropReason::CopyFailed;
  }
}

}  // namespace castgate
