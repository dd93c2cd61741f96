// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <span>

#include "dataplane/base/address.h"

namespace castgate {

// One message to rtnetlink under construction: header, fixed part, attributes. At most 512 bytes.
class NetlinkRequest {
 public:
  template <class Fixed>
  NetlinkRequest(std::uint16_t type, std::uint16_t flags, const Fixed& fixed) {
    header().nlmsg_type = type;
    header().nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
    header().nlmsg_len = NLMSG_LENGTH(sizeof fixed);
    std::memcpy(bytes_.data() + NLMSG_HDRLEN, &fixed, sizeof fixed);
  }

  nlmsghdr& header() { return *reinterpret_cast<nlmsghdr*>(bytes_.data()); }
  std::span<const std::byte> bytes() { return std::span(bytes_).first(header().nlmsg_len); }

  NetlinkRequest& add(std::uint16_t type, const void* value, std::size_t length) {
    const std::size_t at = NLMSG_ALIGN(header().nlmsg_len);
    const rtattr attribute{static_cast<std::uint16_t>(RTA_LENGTH(length)), type};
    std::memcpy(bytes_.data() + at, &attribute, sizeof attribute);
    if (length > 0) std::memcpy(bytes_.data() + at + RTA_LENGTH(0), value, length);
    header().nlmsg_len = static_cast<std::uint32_t>(at + RTA_SPACE(length));
    return *this;
  }
  template <class Value>
  NetlinkRequest& add(std::uint16_t type, const Value& value) {
    return add(type, &value, sizeof value);
  }
  NetlinkRequest& add(std::uint16_t type, const IpAddress& address) {
    const auto bytes = std::span(address.bytes()).subspan(address.is_v4() ? 12 : 0);
    return add(type, bytes.data(), bytes.size());
  }

 private:
  static constexpr std::size_t kRoom = 512;
  alignas(nlmsghdr) std::array<std::byte, kRoom> bytes_{};
};

}  // namespace castgate
