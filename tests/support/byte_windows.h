// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <unordered_set>
#include <vector>

#include "tests/support/packets.h"

namespace castgate::test {

// What no frame of a protected output may have: any 16 bytes of these in a row.
class Windows {
 public:
  // They outlive it.
  explicit Windows(const std::vector<Bytes>& bodies) {
    for (const Bytes& body : bodies) {
      for (std::size_t at = 0; at + kLength <= body.size(); ++at)
        all_.emplace(reinterpret_cast<const char*>(&body[at]), kLength);
    }
  }
  explicit Windows(std::vector<Bytes>&&) = delete;
  bool any_in(const Bytes& frame) const {
    for (std::size_t at = 0; at + kLength <= frame.size(); ++at) {
      if (all_.contains({reinterpret_cast<const char*>(&frame[at]), kLength})) return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t kLength = 16;
  std::unordered_set<std::string_view> all_;
};

}  // namespace castgate::test
