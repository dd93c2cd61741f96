// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "controlplane/slow_path/host_networks.h"
#include "controlplane/slow_path/net_namespace.h"
#include "controlplane/slow_path/queries.h"

namespace castgate {

// A port's double on one of its networks, inside the host stack's namespace: a TAP device with the
// port's MAC, addresses and gateway. Each VLAN has one of its own, so that the kernel needs no
// VLANs: frames are untagged on both sides. What the kernel sends goes to `send`; what is written,
// the kernel takes for received.
class Twin {
 public:
  using Sender = std::function<void(FrameView frame)>;

  static Result<std::unique_ptr<Twin>> make(boost::asio::io_context& io, const NetNamespace& space,
                                            const PortSpec& port, MacAddress mac,
                                            const HostNetwork& network);

  void start(Sender send);
  // False where the kernel does not take it; the frame is lost.
  bool write(FrameView frame);
  unsigned interface() const noexcept { return index_; }

 private:
  explicit Twin(boost::asio::io_context& io) : tap_(io) {}
  Result<void> open(const std::string& name);
  Result<void> set_up(const std::string& name, const PortSpec& port, MacAddress mac,
                      const HostNetwork& network);
  void read();

  static constexpr std::size_t kLargest = 65536;
  boost::asio::posix::stream_descriptor tap_;
  Sender send_;
  unsigned index_ = 0;
  std::array<std::byte, kLargest> buffer_;
};

}  // namespace castgate
