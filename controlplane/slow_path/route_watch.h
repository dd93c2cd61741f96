// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "controlplane/slow_path/unique_fd.h"
#include "dataplane/base/address.h"
#include "dataplane/base/error.h"

namespace castgate {

// Hears of the kernel's routes in the namespace of the thread that opens it, as they change. On the
// thread of `io`; nothing here waits.
class RouteWatch {
 public:
  // A route to these changed; none: any may have.
  using Changed = std::function<void(const std::optional<IpPrefix>& to)>;

  static Result<std::unique_ptr<RouteWatch>> open(boost::asio::io_context& io, Changed changed);

 private:
  RouteWatch(boost::asio::io_context& io, UniqueFd socket, Changed changed);
  void await_news();
  bool read();

  static constexpr std::size_t kLargest = 32768;  // as the kernel fills them
  boost::asio::posix::stream_descriptor socket_;
  Changed changed_;
  std::array<std::byte, kLargest> buffer_;
};

}  // namespace castgate
