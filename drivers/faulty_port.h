// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "drivers/fault_model.h"
#include "drivers/port.h"

namespace castgate {

struct FaultCounts {
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t held = 0;  // delayed or reordered, and not yet delivered
};

// For tests: a port whose receiving side is a bad path. The same seed and clock give the same
// packets. Allocates, so never on an appliance's worker.
class FaultyPort final : public Port {
 public:
  using Clock = std::function<Instant()>;

  // `copies` is where duplicates are made; null where the model makes none.
  FaultyPort(Port& inner, const FaultModel& model, Clock now, rte_mempool* copies = nullptr);
  ~FaultyPort() override;

  unsigned receive(unsigned queue, std::span<rte_mbuf*> burst) noexcept override;
  unsigned transmit(unsigned queue, std::span<rte_mbuf* const> burst) noexcept override {
    return inner_.transmit(queue, burst);
  }
  bool link_up() const noexcept override { return inner_.link_up(); }
  void refresh() override { inner_.refresh(); }
  Result<void> set_groups(std::span<const MacAddress> groups) override {
    return inner_.set_groups(groups);
  }
  const PortFacts& facts() const noexcept override { return inner_.facts(); }
  PortStats stats() const override { return inner_.stats(); }
  FaultCounts counts() const;

 private:
  struct Held {
    rte_mbuf* packet;
    Instant due;
    std::uint64_t after;  // as many packets must have been admitted
  };
  struct Path {
    Dice dice;
    bool in_burst = false;
    std::uint64_t admitted = 0;
    std::vector<Held> held;
    FaultCounts counts;
  };

  bool loses(Path& path) const noexcept;
  void admit(Path& path, rte_mbuf* packet, Instant now);
  unsigned deliver(Path& path, std::span<rte_mbuf*> burst, Instant now);

  Port& inner_;
  FaultModel model_;
  Clock now_;
  rte_mempool* copies_;
  std::vector<Path> paths_;  // by receive queue
};

}  // namespace castgate
