// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace castgate {

// An IPv4 or IPv6 address in network byte order. IPv4 is kept in its mapped form (::ffff:a.b.c.d,
// RFC 4291 2.5.5.2), so both kinds compare, sort and hash alike. The default is 0.0.0.0.
class IpAddress {
 public:
  constexpr IpAddress() = default;
  static constexpr IpAddress v4(std::uint32_t host_order) noexcept {
    IpAddress a;
    for (unsigned i = 0; i < 4; ++i)
      a.bytes_[12 + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    return a;
  }
  static constexpr IpAddress v6(const std::array<std::uint8_t, 16>& bytes) noexcept {
    IpAddress a;
    a.bytes_ = bytes;
    return a;
  }
  static std::optional<IpAddress> parse(const std::string& text);

  bool is_v4() const noexcept;
  bool is_unspecified() const noexcept;
  bool is_multicast() const noexcept;
  bool is_loopback() const noexcept;
  std::uint32_t v4_host_order() const noexcept;  // expects is_v4()
  const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }
  std::string to_string() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
};

// An address and the length of its network, as in 10.1.0.2/24. `length` counts from the first bit
// of the address's own family: 0 to 32, or 0 to 128.
struct IpPrefix {
  IpAddress address;
  unsigned length = 0;

  static std::optional<IpPrefix> parse(const std::string& text);
  bool contains(const IpAddress& other) const noexcept;
  std::string to_string() const;
  bool operator==(const IpPrefix&) const = default;
};

struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  static std::optional<MacAddress> parse(const std::string& text);
  bool is_unicast() const noexcept { return (bytes[0] & 1) == 0; }
  std::string to_string() const;
  auto operator<=>(const MacAddress&) const = default;
};

// The Ethernet address that a multicast group is sent to (RFC 1112 6.4, RFC 2464 7).
MacAddress multicast_mac(const IpAddress& group) noexcept;

// An address and a UDP port: 239.1.0.1:5000 or [ff3e::1]:5000.
struct Endpoint {
  IpAddress address;
  std::uint16_t udp_port = 0;

  static std::optional<Endpoint> parse(const std::string& text);
  std::string to_string() const;
  auto operator<=>(const Endpoint&) const = default;
};

// VLAN tags of a frame, outermost first; 0 is "no tag". Written 43, or 100.43 for QinQ.
struct VlanTags {
  std::uint16_t outer = 0;
  std::uint16_t inner = 0;

  static std::optional<VlanTags> parse(const std::string& text);
  unsigned count() const noexcept { return outer == 0 ? 0 : inner == 0 ? 1 : 2; }
  std::string to_string() const;
  auto operator<=>(const VlanTags&) const = default;
};

}  // namespace castgate
