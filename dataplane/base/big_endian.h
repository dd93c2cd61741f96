// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace castgate {

// Unaligned loads and stores in network byte order. The caller has checked the bounds.
template <class T>
inline T load_be(const void* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (std::endian::native == std::endian::little && sizeof(T) > 1) {
    value = std::byteswap(value);
  }
  return value;
}

template <class T>
inline void store_be(void* to, T value) noexcept {
  if constexpr (std::endian::native == std::endian::little && sizeof(T) > 1) {
    value = std::byteswap(value);
  }
  std::memcpy(to, &value, sizeof value);
}

inline std::uint16_t load_be16(const void* from) noexcept {
  return load_be<std::uint16_t>(from);
}
inline std::uint32_t load_be32(const void* from) noexcept {
  return load_be<std::uint32_t>(from);
}
inline std::uint64_t load_be64(const void* from) noexcept {
  return load_be<std::uint64_t>(from);
}
inline void store_be16(void* to, std::uint16_t v) noexcept {
  store_be(to, v);
}
inline void store_be32(void* to, std::uint32_t v) noexcept {
  store_be(to, v);
}

// As it lies in memory: for sums and compares that do not care about the order of bytes.
template <class T>
inline T load_raw(const void* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
inline void store_raw(void* to, T value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace castgate
