// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>

#include "controlplane/slow_path/neighbour_watch.h"
#include "controlplane/slow_path/unique_fd.h"
#include "dataplane/base/error.h"

namespace castgate {

// MAC addresses of hosts on the interfaces of one network namespace, resolved by its kernel and
// read by rtnetlink as they change. On the thread of `io`; nothing here waits.
class Neighbours {
 public:
  // A socket for it, in the namespace of the calling thread.
  static Result<UniqueFd> open_socket();

  Neighbours(boost::asio::io_context& io, UniqueFd socket, NeighbourWatch::Changed changed);

  // Counted. What the kernel knows already; `changed` tells what it learns.
  std::optional<MacAddress> watch(const NeighbourKey& key);
  void unwatch(const NeighbourKey& key) { watch_.remove(key); }

 private:
  void give(const NeighbourKey& key, NeighbourOrder order);
  void send(NetlinkRequest request);
  void await_news();
  bool read();
  void await_turn();
  void note_error(int error);

  static constexpr std::size_t kLargest = 32768;  // as the kernel fills them
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer timer_;
  NeighbourWatch watch_;
  bool turning_ = false;
  Instant told_full_;
  std::array<std::byte, kLargest> buffer_;
};

}  // namespace castgate
