// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "controlplane/slow_path/netlink_reader.h"
#include "controlplane/slow_path/unique_fd.h"
#include "dataplane/base/address.h"
#include "dataplane/base/error.h"

namespace castgate {

class NetlinkRequest;

struct LinkSettings {
  std::optional<MacAddress> mac;
  std::optional<unsigned> mtu;
  bool up = false;
};

// From the kernel's answer, one datagram.
std::optional<IpAddress> gateway_in(NetlinkBytes answer);

// rtnetlink, as far as a twin needs it, in the namespace of the thread that opens it.
class Netlink {
 public:
  static Result<Netlink> open();

  Result<void> set_link(unsigned index, const LinkSettings& settings);
  Result<void> add_address(unsigned index, const IpPrefix& prefix);
  Result<void> add_default_route(unsigned index, const IpAddress& gateway);
  // The router that the kernel's routes name for an address beyond the interface's own networks.
  std::optional<IpAddress> gateway_to(const IpAddress& to, unsigned interface);

 private:
  explicit Netlink(UniqueFd socket) : socket_(std::move(socket)) {}
  Result<void> ask(NetlinkRequest& request, const std::string& what);

  UniqueFd socket_;
};

}  // namespace castgate
