// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/socket_address.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace castgate {

SocketAddress::SocketAddress(const Endpoint& endpoint, int family) noexcept {
  if (family == AF_UNSPEC) family = endpoint.address.is_v4() ? AF_INET : AF_INET6;
  const auto& bytes = endpoint.address.bytes();
  if (family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.udp_port);
    std::memcpy(&v4.sin_addr, &bytes[12], 4);
    length = sizeof v4;
    std::memcpy(&storage, &v4, sizeof v4);
    return;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(endpoint.udp_port);
  std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
  length = sizeof v6;
  std::memcpy(&storage, &v6, sizeof v6);
}

Endpoint endpoint_of(const sockaddr_storage& storage) noexcept {
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage, sizeof v4);
    return {IpAddress::v4(ntohl(v4.sin_addr.s_addr)), ntohs(v4.sin_port)};
  }
  if (storage.ss_family != AF_INET6) return {};
  sockaddr_in6 v6{};
  std::memcpy(&v6, &storage, sizeof v6);
  std::array<std::uint8_t, 16> bytes{};
  std::copy_n(v6.sin6_addr.s6_addr, bytes.size(), bytes.begin());
  return {IpAddress::v6(bytes), ntohs(v6.sin6_port)};
}

}  // namespace castgate
