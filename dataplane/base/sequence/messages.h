// SPDX-License-Identifier: Apache-2.0
// Positions in market data: protocols that number messages, of which a packet holds several.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/sequence/located.h"

namespace castgate {

// MoldUDP64 1.00: 10 bytes of session, sequence number of the first message (64 bits), number of
// messages (0: heartbeat, 0xffff: end of session), then length and bytes of each. `payload` is the
// UDP payload, `length` bytes. False when the header, or room for the messages' lengths, is
// missing.
inline bool locate_moldudp64(const std::byte* payload, std::size_t length,
                             Located& where) noexcept {
  constexpr std::size_t kHeader = 20;
  constexpr std::size_t kLength = 2;
  if (length < kHeader) return false;
  const std::uint16_t count = load_be16(payload + 18);
  // Sessions as 32 bits that differ where their ten bytes do, all but certainly.
  const std::uint64_t session = load_raw<std::uint64_t>(payload) * 0x9e3779b97f4a7c15 +
                                load_raw<std::uint16_t>(payload + 8) * 0xff51afd7ed558ccd;
  where = {load_be64(payload + 10), static_cast<std::uint32_t>(session >> 32), count};
  return count == Located::kEnd || kHeader + kLength * count <= length;
}

// CME MDP 3.0: packet sequence number, 32 bits little-endian, and sending time. It begins anew
// every week, with the same epoch.
bool locate_cme_mdp3(const std::byte* payload, std::size_t length, Located& where) noexcept;

// IEX-TP 1: 40 bytes, little-endian; first message sequence number at 24, number of messages at 14
// (0: heartbeat), session at 8. False for another version, and as above.
bool locate_iex_tp(const std::byte* payload, std::size_t length, Located& where) noexcept;

// Leave of a packet that was located only `count` messages from its `skip`th on: 0 < count and
// skip + count is at most what it holds. Return the payload's new length; 0, and nothing is
// changed, where a message is not whole.
std::size_t cut_moldudp64(std::byte* payload, std::size_t length, unsigned skip,
                          unsigned count) noexcept;
std::size_t cut_iex_tp(std::byte* payload, std::size_t length, unsigned skip,
                       unsigned count) noexcept;

}  // namespace castgate
