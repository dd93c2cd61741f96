// SPDX-License-Identifier: Apache-2.0
// The Internet checksum (RFC 1071): one's complement sums that do not care about byte order, so
// words are taken as they lie in memory.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/big_endian.h"

namespace castgate {

// Any sum of 16-bit words brought down to 16 bits: both halves are added, and the carry of the
// lower one's addition is the end-around carry of the upper one's.
constexpr std::uint16_t fold_sum32(std::uint32_t sum) noexcept {
  return static_cast<std::uint16_t>((sum + std::rotl(sum, 16)) >> 16);
}
constexpr std::uint16_t fold_sum(std::uint64_t sum) noexcept {
  return fold_sum32(static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32));
}

// Sum over any number of bytes, unfolded; an odd last byte counts as if a zero followed.
std::uint64_t ones_sum(const void* bytes, std::size_t length) noexcept;

// What is left of a checksum's sum without words of the unfolded sum `gone`, not folded. They are
// taken away from a multiple of 65535, which is nothing to these sums and larger than any of ours.
constexpr std::uint64_t sum_without(std::uint16_t checksum, std::uint64_t gone) noexcept {
  constexpr std::uint64_t kNothing = 0xffffull << 32;
  return kNothing - gone + static_cast<std::uint16_t>(~checksum);
}

// RFC 1624 for UDP, with unfolded sums of the words that went and of those that came, as they lie
// in memory. Zero stays zero: no checksum.
constexpr std::uint16_t updated_checksum(std::uint16_t checksum, std::uint64_t gone,
                                         std::uint64_t come) noexcept {
  if (checksum == 0) return 0;
  const auto made = static_cast<std::uint16_t>(~fold_sum(sum_without(checksum, gone) + come));
  return made == 0 ? std::uint16_t{0xffff} : made;
}

// True for a 20-byte IPv4 header whose sum is right: a multiple of 65535, tested by multiplying
// with the inverse (its factors are odd).
inline bool ip_header_sums_up(const void* header) noexcept {
  const auto* p = static_cast<const unsigned char*>(header);
  const auto a = load_raw<std::uint64_t>(p);
  const auto b = load_raw<std::uint64_t>(p + 8);
  const auto c = load_raw<std::uint32_t>(p + 16);
  std::uint64_t sum = a + b;
  sum += static_cast<std::uint64_t>(sum < b);
  sum += c;
  sum += static_cast<std::uint64_t>(sum < c);
  constexpr std::uint64_t kInverse = 0xfffefffefffeffffull;
  return sum * kInverse <= UINT64_MAX / 65535;
}

// UDP over IPv4 or IPv6 with its pseudo header. `addresses`: source and destination together, 8 or
// 32 bytes. `udp`: header and payload. True when the checksum that it carries is right.
bool udp_sums_up(std::span<const std::byte> addresses, std::span<const std::byte> udp) noexcept;

}  // namespace castgate
