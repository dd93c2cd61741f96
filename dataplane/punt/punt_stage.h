// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "dataplane/packet_ring.h"
#include "dataplane/punt/policer.h"
#include "dataplane/stage.h"

namespace castgate {

// Hands packets for the host stack to the control plane: policed by class and port, dropped and
// counted where the ring is full. Only ports with a twin have a host stack behind them; ICMP errors
// are wanted from every port, since they may be about clients.
class PuntStage {
 public:
  // `has_twin`: by port index.
  PuntStage(std::vector<bool> has_twin, PacketRing& ring);

  // False when the port has no host stack: the packet stays the caller's. Else it is taken care of.
  bool punt(rte_mbuf* packet, unsigned port, HostKind kind, Instant now) noexcept;

  std::uint64_t punted(unsigned port) const noexcept { return lanes_[port].punted.get(); }
  std::uint64_t policed(unsigned port) const noexcept { return lanes_[port].policed.get(); }
  std::uint64_t full(unsigned port) const noexcept { return lanes_[port].full.get(); }

 private:
  struct Lane {
    bool has_twin = false;
    Policer policer;
    Counter punted;
    Counter policed;
    Counter full;
  };

  std::vector<Lane> lanes_;
  PacketRing& ring_;
};

}  // namespace castgate
