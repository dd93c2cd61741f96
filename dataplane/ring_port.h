// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dataplane/packet_ring.h"
#include "drivers/port.h"

namespace castgate {

// Stands for a port whose transmit queue belongs to another worker: packets go there over a ring.
class RingPort final : public Port {
 public:
  RingPort(const Port& real, PacketRing& ring) : real_(real), ring_(ring) {}

  unsigned receive(unsigned /*queue*/, std::span<rte_mbuf*> /*burst*/) noexcept override {
    return 0;
  }
  unsigned transmit(unsigned /*queue*/, std::span<rte_mbuf* const> burst) noexcept override {
    return ring_.put(burst);
  }
  bool link_up() const noexcept override { return real_.link_up(); }
  const PortFacts& facts() const noexcept override { return real_.facts(); }
  PortStats stats() const override { return {}; }

 private:
  const Port& real_;
  PacketRing& ring_;
};

}  // namespace castgate
