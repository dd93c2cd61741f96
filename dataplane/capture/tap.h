// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include <rte_mbuf.h>

#include "dataplane/base/instant.h"
#include "dataplane/contract/captured.h"

namespace castgate {

// Where packets were seen, and why they end there.
struct Sighting {
  CaptureStage stage = CaptureStage::Rx;
  std::uint16_t port = CaptureStart::kAny;  // of Rx, Transmit and classify's drops; else tagged
  DropReason reason = DropReason::kCount;
};

// Looks at a worker's packets between its stages; they stay what and where they are. Off it is a
// null pointer in each stage, which that asks once per burst.
class Tap {
 public:
  explicit Tap(std::uint8_t stages) : stages_(stages) {}
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;
  virtual ~Tap() = default;

  bool wants(CaptureStage stage) const noexcept {
    return (stages_ >> static_cast<unsigned>(stage) & 1) != 0;
  }
  // What is seen from here on happens at `now`.
  void set_time(Instant now) noexcept { now_ = now; }
  Instant now() const noexcept { return now_; }
  // classify's drops from here on are of packets that came by this port.
  void set_port(unsigned port) noexcept { port_ = static_cast<std::uint16_t>(port); }
  std::uint16_t port() const noexcept { return port_; }

  virtual void see(const Sighting& where, std::span<rte_mbuf* const> packets) noexcept = 0;

  // True where failover is to pass packets on one by one, each followed by passed_on().
  virtual bool singly() const noexcept { return false; }
  virtual void passed_on() noexcept {}
  // failover made `to` of `from`, which holds positions that leave at different times.
  virtual void copied(const rte_mbuf* /*from*/, const rte_mbuf* /*to*/) noexcept {}

 protected:
  void set_stages(std::uint8_t stages) noexcept { stages_ = stages; }

 private:
  std::uint8_t stages_;  // bit per CaptureStage
  std::uint16_t port_ = CaptureStart::kAny;
  Instant now_;
};

}  // namespace castgate
