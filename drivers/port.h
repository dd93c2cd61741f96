// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <rte_mbuf.h>

#include "dataplane/base/address.h"
#include "dataplane/base/error.h"

namespace castgate {

// What the device below a port can do and what was agreed with it at start.
struct PortFacts {
  std::string name;       // the operator's
  std::string device;     // PCI address or device string
  std::string driver;     // DPDK's name of it: net_af_packet, net_ixgbe, replay
  std::string reception;  // mc_addr_list, allmulticast, promiscuous; unfiltered: nothing to set
  MacAddress mac;
  unsigned rx_queues = 1;
  unsigned tx_queues = 1;
  bool multi_segment_tx = false;
  bool on_kernel_interface = false;  // Linux answers ARP and IGMP there itself: no twin
  bool is_wire = false;  // packets come whether or not anybody receives: a file or a ring waits
};

// As the driver counts; cumulative since start.
struct PortStats {
  bool link_up = true;
  std::uint64_t link_flaps = 0;  // changes seen by refresh()
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t rx_missed = 0;
  std::uint64_t rx_no_buffer = 0;
  std::uint64_t rx_errors = 0;
  std::uint64_t pool_empty =
      0;  // times that reception found no packet buffer; drivers may not tell
  std::uint64_t tx_packets = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t tx_errors = 0;
  std::uint64_t tx_linearised = 0;  // made one segment for a driver that needs it
};

// Where packets come from and go to: an ethdev, a capture in replay, a generator in a bench.
// One virtual call per burst. A queue is used by one worker at a time.
class Port {
 public:
  Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  virtual ~Port() = default;

  // Fills the front of `burst`; returns how many. The packets belong to the caller.
  virtual unsigned receive(unsigned queue, std::span<rte_mbuf*> burst) noexcept = 0;
  // Takes packets from the front of `burst`; returns how many. The rest stay the caller's.
  virtual unsigned transmit(unsigned queue, std::span<rte_mbuf* const> burst) noexcept = 0;

  // As refresh() saw it last; transmit() takes nothing while it is false. For any thread.
  virtual bool link_up() const noexcept { return true; }

  // Where a packet is made that is for this port alone, so that the driver need not copy it into
  // memory of its own; null: anywhere.
  virtual rte_mempool* transmit_pool() const noexcept { return nullptr; }

  // Control thread, every few milliseconds: asks for the state of the link.
  virtual void refresh() {}
  // Control thread: the multicast Ethernet addresses to let in, where reception filters them.
  virtual Result<void> set_groups(std::span<const MacAddress> /*groups*/) { return {}; }

  virtual const PortFacts& facts() const noexcept = 0;
  // Asks the driver: not for a worker's loop.
  virtual PortStats stats() const = 0;
};

}  // namespace castgate
