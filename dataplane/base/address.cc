// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <string_view>

namespace castgate {
namespace {

// The whole of `text` as a decimal number up to `limit`; signs, blanks and leftovers are refused.
std::optional<unsigned> decimal(std::string_view text, unsigned limit) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > limit) return {};
  return value;
}

bool mapped_v4(const std::array<std::uint8_t, 16>& b) noexcept {
  return std::all_of(b.begin(), b.begin() + 10, [](auto byte) { return byte == 0; }) &&
         b[10] == 0xff && b[11] == 0xff;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(const std::string& text) {
  in_addr four{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) return v4(ntohl(four.s_addr));
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return {};
  return v6(bytes);
}

bool IpAddress::is_v4() const noexcept {
  return mapped_v4(bytes_);
}

bool IpAddress::is_unspecified() const noexcept {
  const auto begin = bytes_.begin() + (is_v4() ? 12 : 0);
  return std::all_of(begin, bytes_.end(), [](auto byte) { return byte == 0; });
}

bool IpAddress::is_multicast() const noexcept {
  return is_v4() ? (bytes_[12] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::is_loopback() const noexcept {
  if (is_v4()) return bytes_[12] == 127;
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.begin() + 15, [](auto byte) { return byte == 0; });
}

std::uint32_t IpAddress::v4_host_order() const noexcept {
  std::uint32_t network = 0;
  std::memcpy(&network, &bytes_[12], sizeof network);
  return ntohl(network);
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_v4()) {
    inet_ntop(AF_INET, &bytes_[12], text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, bytes_.data(), text.data(), text.size());
  }
  return text.data();
}

std::optional<IpPrefix> IpPrefix::parse(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return {};
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return {};
  const auto length =
      decimal(std::string_view(text).substr(slash + 1), address->is_v4() ? 32 : 128);
  if (!length) return {};
  return IpPrefix{*address, *length};
}

bool IpPrefix::contains(const IpAddress& other) const noexcept {
  if (address.is_v4() != other.is_v4()) return false;
  unsigned left = length + (address.is_v4() ? 96 : 0);
  for (unsigned i = 0; i < 16 && left > 0; ++i) {
    const unsigned bits = std::min(left, 8u);
    const auto mask = static_cast<std::uint8_t>(0xff00u >> bits);
    if ((address.bytes()[i] & mask) != (other.bytes()[i] & mask)) return false;
    left -= bits;
  }
  return true;
}

std::string IpPrefix::to_string() const {
  return address.to_string() + "/" + std::to_string(length);
}

std::optional<MacAddress> MacAddress::parse(const std::string& text) {
  constexpr std::size_t kTextLength = 17;
  if (text.size() != kTextLength) return {};
  MacAddress mac;
  for (std::size_t i = 0; i < 6; ++i) {
    const char* digits = text.data() + 3 * i;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(digits, digits + 2, value, 16);
    if (error != std::errc{} || end != digits + 2 || (i < 5 && *end != ':')) return {};
    mac.bytes[i] = static_cast<std::uint8_t>(value);
  }
  return mac;
}

std::string MacAddress::to_string() const {
  std::array<char, 18> text{};
  std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1],
                bytes[2], bytes[3], bytes[4], bytes[5]);
  return text.data();
}

MacAddress multicast_mac(const IpAddress& group) noexcept {
  const auto& b = group.bytes();
  if (group.is_v4()) {
    return {{0x01, 0x00, 0x5e, static_cast<std::uint8_t>(b[13] & 0x7f), b[14], b[15]}};
  }
  return {{0x33, 0x33, b[12], b[13], b[14], b[15]}};
}

std::optional<Endpoint> Endpoint::parse(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return {};
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  const auto port = decimal(std::string_view(text).substr(colon + 1), 65535);
  if (!address || !port || *port == 0 || bracketed != (host.find(':') != std::string::npos)) {
    return {};
  }
  return Endpoint{*address, static_cast<std::uint16_t>(*port)};
}

std::string Endpoint::to_string() const {
  const char* form = address.is_v4() ? "{}:{}" : "[{}]:{}";
  return fmt::format(fmt::runtime(form), address.to_string(), udp_port);
}

std::optional<VlanTags> VlanTags::parse(const std::string& text) {
  constexpr unsigned kLastVlan = 4094;
  const auto dot = text.find('.');
  const auto outer = decimal(std::string_view(text).substr(0, dot), kLastVlan);
  if (!outer || *outer == 0) return {};
  VlanTags tags{static_cast<std::uint16_t>(*outer), 0};
  if (dot == std::string::npos) return tags;
  const auto inner = decimal(std::string_view(text).substr(dot + 1), kLastVlan);
  if (!inner || *inner == 0) return {};
  tags.inner = static_cast<std::uint16_t>(*inner);
  return tags;
}

std::string VlanTags::to_string() const {
  if (count() == 0) return "untagged";
  return std::to_string(outer) + (inner == 0 ? "" : "." + std::to_string(inner));
}

}  // namespace castgate
