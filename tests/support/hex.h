// SPDX-License-Identifier: Apache-2.0
// Bytes as vectors in RFCs are printed.
#pragma once

#include <charconv>
#include <cstddef>
#include <fmt/format.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace castgate {

inline std::vector<std::byte> from_hex(std::string_view digits) {
  std::vector<std::byte> bytes(digits.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    unsigned value = 0;
    std::from_chars(digits.data() + 2 * i, digits.data() + 2 * i + 2, value, 16);
    bytes[i] = static_cast<std::byte>(value);
  }
  return bytes;
}

inline std::string to_hex(std::span<const std::byte> bytes) {
  std::string digits;
  for (const std::byte byte : bytes)
    digits += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return digits;
}

}  // namespace castgate
