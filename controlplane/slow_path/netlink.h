// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "controlplane/slow_path/unique_fd.h"
#include "dataplane/base/address.h"
#include "dataplane/base/error.h"

namespace castgate {

struct LinkSettings {
  std::optional<MacAddress> mac;
  std::optional<unsigned> mtu;
  bool up = false;
};

// rtnetlink, as far as a twin needs it, in the namespace of the thread that opens it.
class Netlink {
 public:
  static Result<Netlink> open();

  Result<void> set_link(unsigned index, const LinkSettings& settings);
  Result<void> add_address(unsigned index, const IpPrefix& prefix);
  Result<void> add_default_route(unsigned index, const IpAddress& gateway);

 private:
  class Request;
  explicit Netlink(UniqueFd socket) : socket_(std::move(socket)) {}
  Result<void> ask(Request& request, const std::string& what);

  UniqueFd socket_;
};

}  // namespace castgate
