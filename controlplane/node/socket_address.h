// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "dataplane/base/address.h"

namespace castgate {

// An endpoint as the kernel wants it.
struct SocketAddress {
  // An IPv4 endpoint of the family AF_INET6 is written in its mapped form.
  explicit SocketAddress(const Endpoint& endpoint, int family = AF_UNSPEC) noexcept;

  sockaddr_storage storage{};
  socklen_t length = 0;
};

// Of a family that is not the internet's: the default endpoint.
Endpoint endpoint_of(const sockaddr_storage& storage) noexcept;

}  // namespace castgate
