// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace castgate {

// 64 bits that stand for a UDP payload. Two different payloads share them with probability 2^-63,
// whoever chose the payloads, as long as the seed stays unknown: CLHASH's inner product (Lemire,
// Kaser 2016) with a key as long as the longest payload, then a linear map of GF(2^64).
class Fingerprint {
 public:
  static constexpr std::size_t kLongest = 9728;  // bytes; what comes after is not looked at

  // Instructions that make it; all give the same value.
  enum class Way : std::uint8_t { Portable, Clmul, WideClmul };
  static bool can(Way way) noexcept;
  static Way best() noexcept;

  explicit Fingerprint(std::uint64_t seed, Way way = best()) noexcept;

  std::uint64_t of(const std::byte* payload, std::size_t length) const noexcept {
    return make_(key_, payload, length < kLongest ? length : kLongest);
  }

  struct Key {
    alignas(64) std::array<std::uint64_t, kLongest / 8> lanes;
    std::uint64_t low;     // multiplies the lower half of the inner product,
    std::uint64_t high;    // the upper half,
    std::uint64_t length;  // and the length
  };

 private:
  using Make = std::uint64_t (*)(const Key&, const std::byte*, std::size_t) noexcept;

  Key key_;
  Make make_;
};

}  // namespace castgate
