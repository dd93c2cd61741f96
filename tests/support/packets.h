// SPDX-License-Identifier: Apache-2.0
// Frames put together field by field, and checksums summed the slow way: nothing here is shared
// with the code that the tests judge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace castgate::test {

using Bytes = std::vector<std::uint8_t>;

inline void put16(Bytes& to, unsigned value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}
inline void put32(Bytes& to, std::uint32_t value) {
  put16(to, value >> 16);
  put16(to, value & 0xffff);
}
inline void append(Bytes& to, const Bytes& more) {
  to.insert(to.end(), more.begin(), more.end());
}
inline void set16(Bytes& in, std::size_t at, unsigned value) {
  in.at(at) = static_cast<std::uint8_t>(value >> 8);
  in.at(at + 1) = static_cast<std::uint8_t>(value);
}
inline unsigned get16(const Bytes& in, std::size_t at) {
  return in.at(at) * 256u + in.at(at + 1);
}

// RFC 1071 section 4.1, byte by byte.
inline std::uint16_t slow_checksum(const Bytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? std::uint32_t{bytes[i]} << 8 : std::uint32_t{bytes[i]};
    if (sum > 0xffff) sum -= 0xffff;
  }
  return static_cast<std::uint16_t>(~sum);
}

// One UDP packet as it stands on the wire, without FCS. A test changes what it is about.
struct Frame {
  Bytes to_mac = {0x01, 0x00, 0x5e, 0x01, 0x00, 0x01};
  Bytes from_mac = {0x02, 0, 0, 0, 0, 0x77};
  std::vector<std::pair<unsigned, unsigned>> tags;  // EtherType and TCI
  bool v6 = false;
  Bytes source = {10, 0, 0, 1};
  Bytes destination = {239, 1, 0, 1};
  unsigned tos = 0;
  unsigned id = 0;
  unsigned fragment = 0x4000;  // flags and offset
  unsigned ttl = 64;
  unsigned protocol = 17;
  Bytes options;     // IPv4, a multiple of 4 bytes
  Bytes extensions;  // IPv6, as they stand; `protocol` then names the first
  unsigned source_port = 4000;
  unsigned destination_port = 5000;
  bool udp_sum = true;
  Bytes payload = Bytes(20, 0xab);
  Bytes padding;

  Bytes udp() const {
    Bytes made;
    put16(made, source_port);
    put16(made, destination_port);
    put16(made, static_cast<unsigned>(payload.size() + 8));
    put16(made, 0);
    append(made, payload);
    if (!udp_sum) return made;
    Bytes summed = source;
    append(summed, destination);
    put16(summed, 17);
    put16(summed, static_cast<unsigned>(made.size()));
    append(summed, made);
    const unsigned sum = slow_checksum(summed);
    set16(made, 6, sum == 0 ? 0xffff : sum);
    return made;
  }

  Bytes ip() const {
    const Bytes datagram = udp();
    Bytes made;
    if (v6) {
      put32(made, 0x60000000u | tos << 20);
      put16(made, static_cast<unsigned>(extensions.size() + datagram.size()));
      put16(made, protocol << 8 | ttl);
      append(made, source);
      append(made, destination);
      append(made, extensions);
    } else {
      put16(made, (0x45u + static_cast<unsigned>(options.size() / 4)) << 8 | tos);
      put16(made, static_cast<unsigned>(20 + options.size() + datagram.size()));
      put16(made, id);
      put16(made, fragment);
      put16(made, ttl << 8 | protocol);
      put16(made, 0);
      append(made, source);
      append(made, destination);
      append(made, options);
      set16(made, 10, slow_checksum(made));
    }
    append(made, datagram);
    return made;
  }

  Bytes bytes() const {
    Bytes made = to_mac;
    append(made, from_mac);
    for (const auto& [type, control] : tags) {
      put16(made, type);
      put16(made, control);
    }
    put16(made, v6 ? 0x86dd : 0x0800);
    append(made, ip());
    append(made, padding);
    return made;
  }
};

inline Frame frame6() {
  Frame made;
  made.v6 = true;
  made.to_mac = {0x33, 0x33, 0, 0, 0, 1};
  made.source = Bytes{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
  made.destination = Bytes{0xff, 0x3e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return made;
}

// Repairs the checksum of an untagged IPv4 header that a test has changed.
inline void resum_ip4(Bytes& frame) {
  set16(frame, 24, 0);
  const auto header = frame.begin() + 14;
  set16(frame, 24, slow_checksum(Bytes(header, header + std::ptrdiff_t{frame[14] & 15} * 4)));
}

inline std::span<const std::byte> as_span(const Bytes& bytes) {
  return std::as_bytes(std::span(bytes));
}

}  // namespace castgate::test
