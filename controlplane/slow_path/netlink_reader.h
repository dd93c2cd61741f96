// SPDX-License-Identifier: Apache-2.0
// What netlink datagrams are made of, wherever their bytes lie and however they end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <optional>
#include <span>

#include "dataplane/base/address.h"

namespace castgate {

using NetlinkBytes = std::span<const std::byte>;

template <class T>
std::optional<T> netlink_value(NetlinkBytes bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

inline NetlinkBytes netlink_behind(NetlinkBytes bytes, std::size_t length) {
  constexpr std::size_t kAlign = 4;
  return bytes.subspan(std::min(bytes.size(), (length + kAlign - 1) / kAlign * kAlign));
}

// Calls `visit(type, body)` for each message. False where the datagram ends within one.
template <class Visit>
bool each_netlink_message(NetlinkBytes datagram, Visit visit) {
  while (!datagram.empty()) {
    const auto header = netlink_value<nlmsghdr>(datagram);
    if (!header || header->nlmsg_len < sizeof *header || header->nlmsg_len > datagram.size())
      return false;
    visit(header->nlmsg_type, datagram.first(header->nlmsg_len).subspan(sizeof *header));
    datagram = netlink_behind(datagram, header->nlmsg_len);
  }
  return true;
}

// Calls `visit(type, value)` for each attribute behind the fixed part, as far as they are whole.
template <class Fixed, class Visit>
void each_netlink_attribute(NetlinkBytes body, Visit visit) {
  for (NetlinkBytes rest = netlink_behind(body, sizeof(Fixed));;) {
    const auto head = netlink_value<rtattr>(rest);
    if (!head || head->rta_len < sizeof *head || head->rta_len > rest.size()) return;
    visit(head->rta_type, rest.first(head->rta_len).subspan(sizeof *head));
    rest = netlink_behind(rest, head->rta_len);
  }
}

// The kernel's form of an address, of 4 or 16 bytes.
inline std::optional<IpAddress> netlink_address(NetlinkBytes bytes) {
  std::array<std::uint8_t, 16> whole = IpAddress{}.bytes();
  constexpr std::size_t kV4 = 4;
  if (bytes.size() != kV4 && bytes.size() != whole.size()) return std::nullopt;
  std::memcpy(whole.data() + whole.size() - bytes.size(), bytes.data(), bytes.size());
  return IpAddress::v6(whole);
}

}  // namespace castgate
