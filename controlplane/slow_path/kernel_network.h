// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "controlplane/slow_path/host_networks.h"
#include "controlplane/slow_path/queries.h"
#include "controlplane/slow_path/unique_fd.h"
#include "dataplane/base/error.h"

namespace castgate {

// red0, or the sub-interface of a VLAN, by the name that everybody gives it: of a device that Linux
// keeps for itself. An error: there is none, and how it is made.
Result<std::string> interface_for(const std::string& device, VlanTags tags);

// A network on an interface that Linux keeps for itself (net_af_packet): hears the queries that
// come in there. The kernel answers them; where none come it cannot be asked, for a query of our
// own would go out as well and make us a querier, so `refresh` sends the reports itself.
class KernelNetwork {
 public:
  using Heard = std::function<void(const MembershipQuery& query)>;

  static Result<std::unique_ptr<KernelNetwork>> open(boost::asio::io_context& io,
                                                     const std::string& device,
                                                     const HostNetwork& network, Heard heard);
  ~KernelNetwork();  // gives the interface the IGMP version that it had
  KernelNetwork(const KernelNetwork&) = delete;
  KernelNetwork& operator=(const KernelNetwork&) = delete;

  unsigned interface() const noexcept { return index_; }
  // What legs want from here on.
  Result<void> set_groups(const HostNetwork& network);
  // Current-state reports of what the network's legs want. `v6`: MLD, else IGMP.
  void refresh(bool v6);

 private:
  KernelNetwork(boost::asio::io_context& io, HostNetwork network, Heard heard)
      : network_(std::move(network)), heard_(std::move(heard)), igmp_(io), mld_(io) {}
  Result<void> listen();
  Result<void> open_igmp(const std::string& interface);
  Result<void> open_mld(const std::string& interface);
  void read_igmp();
  void read_mld();

  HostNetwork network_;
  Heard heard_;
  std::string name_;  // of the interface
  unsigned index_ = 0;
  std::string version_setting_;  // where it was changed
  std::string version_before_;
  boost::asio::posix::stream_descriptor igmp_;  // raw sockets
  boost::asio::posix::stream_descriptor mld_;
  std::array<std::byte, 2048> igmp_buffer_;
  std::array<std::byte, 2048> mld_buffer_;
};

}  // namespace castgate
