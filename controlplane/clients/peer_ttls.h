// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/address.h"

namespace castgate {

// With which TTL (hop limit over IPv6) packets come from those who open connections to the doors:
// what remains of it tells how far away a client is. Seen on ports whose frames pass through our
// hands, not on interfaces that Linux keeps.
class PeerTtls {
 public:
  static constexpr std::size_t kMost = 65'536;  // addresses; then all are forgotten

  // A frame that was punted: only a TCP SYN counts.
  void note(std::span<const std::byte> frame);
  // 0: none was seen.
  std::uint8_t of(const IpAddress& peer) const;

 private:
  boost::unordered_flat_map<std::array<std::uint8_t, 16>, std::uint8_t> ttls_;
};

}  // namespace castgate
