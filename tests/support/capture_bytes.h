// SPDX-License-Identifier: Apache-2.0
// Captures as bytes, built from the formats' descriptions and not with our writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "dataplane/base/capture/capture_reader.h"

namespace castgate::test {

inline std::string little(std::uint64_t value, unsigned width) {
  std::string bytes;
  for (unsigned i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

inline std::string big(std::uint64_t value, unsigned width) {
  std::string bytes = little(value, width);
  return {bytes.rbegin(), bytes.rend()};
}

// Two hex digits a byte; blanks are for the eye.
inline std::string from_hex(std::string_view digits) {
  std::string bytes;
  int high = -1;
  for (const char digit : digits) {
    if (digit == ' ') continue;
    const int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
    if (high >= 0) bytes += static_cast<char>(high * 16 + value);
    high = high >= 0 ? -1 : value;
  }
  return bytes;
}

// draft-ietf-opsawg-pcap: magic 0xa1b2c3d4 is microseconds, 0xa1b23c4d nanoseconds.
inline std::string pcap_header(std::uint32_t magic, std::uint32_t link_type = 1) {
  return little(magic, 4) + little(2, 2) + little(4, 2) + little(0, 8) + little(65535, 4) +
         little(link_type, 4);
}

inline std::string pcap_frame(std::uint32_t seconds, std::uint32_t fraction,
                              const std::string& bytes, std::size_t wire_length) {
  return little(seconds, 4) + little(fraction, 4) + little(bytes.size(), 4) +
         little(wire_length, 4) + bytes;
}

// draft-ietf-opsawg-pcapng: section header, one interface whose clock ticks 10^-`resolution` s.
inline std::string pcapng_header(unsigned resolution) {
  const std::string section =
      little(0x1a2b3c4d, 4) + little(1, 2) + little(0, 2) + little(UINT64_MAX, 8);
  const std::string interface = little(1, 2) + little(0, 2) + little(65535, 4) + little(9, 2) +
                                little(1, 2) + little(resolution, 4) + little(0, 4);
  return little(0x0a0d0d0a, 4) + little(28, 4) + section + little(28, 4) +  //
         little(1, 4) + little(32, 4) + interface + little(32, 4);
}

inline std::string pcapng_frame(std::uint64_t ticks, const std::string& bytes) {
  const std::size_t padded = (bytes.size() + 3) / 4 * 4;
  const auto total = static_cast<std::uint32_t>(32 + padded);
  return little(6, 4) + little(total, 4) + little(0, 4) + little(ticks >> 32, 4) +
         little(ticks & 0xffffffff, 4) + little(bytes.size(), 4) + little(bytes.size(), 4) + bytes +
         std::string(padded - bytes.size(), '\0') + little(total, 4);
}

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline std::string as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The next frame; an empty one at the end.
inline CapturedFrame next_frame(CaptureReader& reader) {
  return reader.next().value().value_or(CapturedFrame{});
}

inline std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace castgate::test
