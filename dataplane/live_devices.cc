// SPDX-License-Identifier: Apache-2.0
// The runtime's devices: ports, and what encrypts for the workers.
#include <algorithm>

#include "dataplane/live_runtime.h"
#include "dataplane/port_groups.h"
#include "drivers/ethdev_port.h"

namespace castgate {

Result<void> LiveRuntime::open_ports() {
  for (unsigned p = 0; p < spec_.ports.size(); ++p) {
    const PortSpec& port = spec_.ports[p];
    EthdevOptions options;
    options.name = port.name;
    options.device = port.device;
    options.mac = port.mac;
    options.tx_queues = workers_;
    options.rx_pools = {pools_[placement_.owner_of_port[p]].get()};
    options.max_frame = spec_.appliance.max_frame;
    options.groups = groups_of_port(spec_, p);
    auto opened = EthdevPort::open(options);
    if (!opened) return std::unexpected(opened.error());
    ports_.push_back(std::move(*opened));
  }
  std::vector<Port*> opened(ports_.size());
  std::ranges::transform(ports_, opened.begin(), [](const auto& port) { return port.get(); });
  clients_ = std::make_unique<ClientRoster>(spec_, opened);
  flaps_.resize(ports_.size());
  was_up_.resize(ports_.size(), true);
  return {};
}

Result<void> LiveRuntime::open_crypto() {
  if (spec_.appliance.crypto_device.empty()) return {};
  auto opened = CryptoDevice::open(spec_.appliance.crypto_device, workers_);
  if (!opened) return std::unexpected(opened.error());
  crypto_ = std::move(*opened);
  return {};
}

}  // namespace castgate
