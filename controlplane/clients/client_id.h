// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace castgate {

// Who joined: 128 bits at random, so that knowing one is the right to renew and to leave.
struct ClientId {
  std::array<std::uint8_t, 16> bytes{};

  static ClientId random();
  static std::optional<ClientId> parse(std::string_view text);  // 32 hex digits
  std::string to_string() const;
  auto operator<=>(const ClientId&) const = default;

  // They are random: any part of one is a hash.
  friend std::size_t hash_value(const ClientId& id) noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, id.bytes.data(), sizeof(hash));
    return hash;
  }
};

}  // namespace castgate
