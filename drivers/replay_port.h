// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/capture/capture_writer.h"
#include "dataplane/base/instant.h"
#include "dataplane/contract/spec.h"
#include "drivers/port.h"

namespace castgate {

// A port without a device: frames come from a capture, one at a time, and what is sent goes to
// another, dated by the replay's clock.
class ReplayPort final : public Port {
 public:
  // `clock` is the replay's; it outlives the port. `index` makes a MAC where the spec has none.
  ReplayPort(const PortSpec& spec, unsigned index, rte_mempool* pool, const Instant& clock);

  Result<void> record_to(const std::string& path);
  Result<void> close();

  // The frame as a packet in as many segments as it takes; null when the pool is empty.
  rte_mbuf* packet_of(std::span<const std::byte> frame) noexcept;

  unsigned receive(unsigned queue, std::span<rte_mbuf*> burst) noexcept override;
  unsigned transmit(unsigned queue, std::span<rte_mbuf* const> burst) noexcept override;
  const PortFacts& facts() const noexcept override { return facts_; }
  PortStats stats() const override { return stats_; }

 private:
  PortFacts facts_;
  PortStats stats_;
  rte_mempool* pool_;
  const Instant& clock_;
  std::optional<CaptureWriter> writer_;
  std::vector<std::byte> linear_;
};

}  // namespace castgate
