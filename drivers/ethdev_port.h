// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/counter.h"
#include "dataplane/base/error.h"
#include "drivers/device_lock.h"
#include "drivers/packet_pool.h"
#include "drivers/port.h"

namespace castgate {

struct EthdevOptions {
  std::string name;    // the operator's
  std::string device;  // PCI address or device string: net_af_packet0,iface=red0
  std::optional<MacAddress> mac;
  unsigned rx_queues = 1;  // wanted; the device may have fewer, see PortFacts
  unsigned tx_queues = 1;
  std::uint16_t rx_descriptors = 1024;
  std::uint16_t tx_descriptors = 1024;
  std::vector<rte_mempool*> rx_pools;  // receive queue q fills from [q % size]; at least one
  unsigned max_frame = 1518;
  std::vector<MacAddress> groups;  // multicast addresses to receive from the start
};

// Any DPDK ethdev. What a driver cannot send, a chain or a clone, leaves as one segment all the
// same; nothing is sent while the link is down, for net_af_packet would block the worker.
class EthdevPort final : public Port {
 public:
  // Makes the device (hot-plug of a device string), starts it and owns it. Expects a started EAL.
  static Result<std::unique_ptr<EthdevPort>> open(const EthdevOptions& options);
  // The same for a device that exists already, as from rte_eth_from_rings; it is closed at the end.
  static Result<std::unique_ptr<EthdevPort>> adopt(std::uint16_t port_id,
                                                   const EthdevOptions& options);
  // What a port of this device takes of EAL's memory for pools of its own, when its receive pool
  // has `packets`: net_af_xdp's are private, and drivers without multi-segment transmit need
  // copies.
  static std::size_t footprint(const std::string& device, unsigned packets, unsigned max_frame);
  ~EthdevPort() override;

  unsigned receive(unsigned queue, std::span<rte_mbuf*> burst) noexcept override;
  unsigned transmit(unsigned queue, std::span<rte_mbuf* const> burst) noexcept override;
  bool link_up() const noexcept override { return link_up_.load(std::memory_order_relaxed); }
  void refresh() override;
  Result<void> set_groups(std::span<const MacAddress> groups) override;
  const PortFacts& facts() const noexcept override { return facts_; }
  rte_mempool* transmit_pool() const noexcept override {
    return own_pools_.size() == 1 ? own_pools_[0].get() : nullptr;
  }
  PortStats stats() const override;

 private:
  // Per transmit queue, so that no two workers share a line or a pool.
  struct alignas(64) TxQueue {
    std::optional<PacketPool> pool;  // for linearised copies
    Counter linearised;
  };

  explicit EthdevPort(const EthdevOptions& options);
  Result<void> bring_up(const EthdevOptions& options);
  Result<void> configure(const EthdevOptions& options);
  Result<void> set_up_queues(const EthdevOptions& options);
  Result<void> make_own_pools(const EthdevOptions& options);
  Result<void> prepare_linearising(const EthdevOptions& options);
  Result<void> choose_reception(std::span<const MacAddress> groups);
  bool read_link() const;
  void look_at_pool(unsigned queue) noexcept;
  unsigned transmit_linear(unsigned queue, std::span<rte_mbuf* const> burst) noexcept;

  std::uint16_t id_ = 0;
  bool opened_ = false;   // a device is there to be closed
  bool plugged_ = false;  // and we made it
  PortFacts facts_;
  std::string interface_;  // of the kernel, below net_af_packet and net_af_xdp
  int interface_socket_ = -1;
  DeviceLock lock_;
  std::atomic<bool> link_up_{true};
  Counter link_flaps_;
  std::vector<PacketPool> own_pools_;  // net_af_xdp's, by receive queue
  struct alignas(64) RxQueue {
    rte_mempool* pool = nullptr;
    bool starved = false;
    Counter pool_empty;
  };
  std::vector<RxQueue> rx_queues_;
  std::vector<TxQueue> tx_queues_;
};

}  // namespace castgate
