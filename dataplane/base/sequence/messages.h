// SPDX-License-Identifier: Apache-2.0
// Positions in market data: protocols that number messages, of which a packet holds several.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/base/sequence/located.h"

namespace castgate {

// MoldUDP64 1.00: 10 bytes of session, sequence number of the first message (64 bits), number of
// messages (0: heartbeat, 0xffff: end of session), then length and bytes of each. `payload` is the
// UDP payload, `length` bytes. False when the header, or room for the messages' lengths, is
// missing.
bool locate_moldudp64(const std::byte* payload, std::size_t length, Located& where) noexcept;

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
