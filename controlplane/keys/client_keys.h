// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/base/address.h"
#include "dataplane/contract/client_key.h"
#include "dataplane/contract/protect_spec.h"

namespace castgate {

// What keeps a client's key apart from that which the same address had before: no secret, and never
// the same again.
using ClientSession = std::array<std::uint8_t, 16>;

ClientSession new_client_session();
// Of a replay: the number of the client in its list, from 1 on, big endian.
ClientSession replay_session(std::uint64_t number) noexcept;

// A client's own key, of an output that is_isolated(): HKDF (RFC 5869) with SHA-256 of the key
// file's bytes, "castgate client key 1" as salt, and as info the stream's name, the client's
// address (16 bytes, IPv4 mapped), its UDP port and the session. What comes out is key and salt, as
// in a key file of the profile, the SSRC, and the SPI, whose highest bit is set.
SharedClientKey client_key(const ProtectSpec& protect, std::string_view stream,
                           const Endpoint& client, const ClientSession& session);

}  // namespace castgate
