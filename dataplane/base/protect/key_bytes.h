// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "dataplane/base/check.h"
#include "dataplane/base/protect/secret_memory.h"

namespace castgate {

// A key as a file has it: the cipher's key, then its salt.
class KeyBytes {
 public:
  static constexpr std::size_t kMost = 64;

  explicit KeyBytes(std::span<const std::byte> bytes) noexcept : length_(bytes.size()) {
    CG_CHECK(bytes.size() <= kMost);
    std::ranges::copy(bytes, bytes_.begin());
  }

  std::span<const std::byte> bytes() const noexcept { return {bytes_.data(), length_}; }
  bool operator==(const KeyBytes& other) const noexcept {
    return length_ == other.length_ && equal_secrets(bytes_.data(), other.bytes_.data(), length_);
  }

 private:
  std::array<std::byte, kMost> bytes_{};
  std::size_t length_;
};

// Shared by all that seal or open with it, wiped with the last of them.
using SharedKey = std::shared_ptr<const KeyBytes>;

inline SharedKey share_key(std::span<const std::byte> bytes) {
  return make_secret<KeyBytes>(bytes);
}

}  // namespace castgate
