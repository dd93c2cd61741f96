// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "controlplane/slow_path/host_networks.h"
#include "controlplane/slow_path/net_namespace.h"
#include "controlplane/slow_path/queries.h"

namespace castgate {

// A port's double inside the host stack's namespace: a TAP device with the port's MAC, addresses,
// VLANs and gateway. What the kernel sends on it goes to `send`; what is written to it, the kernel
// takes for received on the port.
class Twin {
 public:
  using Sender = std::function<void(std::span<const std::byte> frame)>;

  // `networks`: those of this port.
  static Result<std::unique_ptr<Twin>> make(boost::asio::io_context& io, const NetNamespace& space,
                                            const PortSpec& port, MacAddress mac,
                                            const std::vector<HostNetwork>& networks);

  void start(Sender send);
  // False where the kernel does not take it; the frame is lost.
  bool write(FrameView frame);
  // The interface that stands for a network of this port; expects one of `networks`.
  unsigned interface_of(VlanTags tags) const { return interfaces_.at(tags); }

 private:
  explicit Twin(boost::asio::io_context& io) : tap_(io) {}
  Result<void> open(const std::string& name, const PortSpec& port, MacAddress mac);
  Result<void> add_network(const std::string& name, const PortSpec& port,
                           const HostNetwork& network);
  Result<unsigned> interface_for(const std::string& name, VlanTags tags);
  void read();

  static constexpr std::size_t kLargest = 65536;
  boost::asio::posix::stream_descriptor tap_;
  Sender send_;
  std::map<VlanTags, unsigned> interfaces_;
  std::array<std::byte, kLargest> buffer_;
};

}  // namespace castgate
