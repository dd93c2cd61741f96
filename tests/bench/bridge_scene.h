// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/replicate/replicate_stage.h"
#include "drivers/packet_pool.h"

namespace castgate::bench {

struct BridgeOptions {
  std::string name;
  unsigned clients = 1'000;
  unsigned payload = 1'316;  // bytes
  unsigned in_flight = 0;    // buffers that the sink holds before it frees the oldest
  std::optional<unsigned> copy_threshold;
};

struct BridgeParts {
  rte_mempool* pool;
  rte_mempool* heads;
  Port* sink;
};

// net_null, which frees chains though it does not say that it takes them.
class NullPort final : public Port {
 public:
  explicit NullPort(std::uint16_t id) : id_(id) { facts_.multi_segment_tx = true; }
  unsigned receive(unsigned, std::span<rte_mbuf*>) noexcept override { return 0; }
  unsigned transmit(unsigned queue, std::span<rte_mbuf* const> burst) noexcept override;
  const PortFacts& facts() const noexcept override { return facts_; }
  PortStats stats() const override { return {}; }

 private:
  std::uint16_t id_;
  PortFacts facts_;
};

// Pools and net_null, after EAL.
class BridgeGround {
 public:
  // Ends the program where they cannot be had.
  BridgeGround();

  BridgeParts parts() { return {pool_->get(), heads_->get(), &*null_}; }

 private:
  std::optional<PacketPool> pool_;
  std::optional<PacketPool> heads_;
  std::unique_ptr<Port> port_;
  std::optional<NullPort> null_;
};

// A stream's packets to its clients: from replicate to the driver.
class BridgeScene {
 public:
  BridgeScene(const BridgeOptions& options, const BridgeParts& parts);
  ~BridgeScene();

  // Whole packets, at least so many copies; how many they were.
  std::uint64_t run(std::uint64_t copies);
  // Empty: every client was counted every packet.
  std::string audit() const;

 private:
  // Frees what it is given later, in its order.
  class SlowSink final : public Port {
   public:
    explicit SlowSink(unsigned in_flight) : held_(in_flight) { facts_.multi_segment_tx = true; }
    ~SlowSink() override;
    unsigned receive(unsigned, std::span<rte_mbuf*>) noexcept override { return 0; }
    unsigned transmit(unsigned, std::span<rte_mbuf* const> burst) noexcept override;
    const PortFacts& facts() const noexcept override { return facts_; }
    PortStats stats() const override { return {}; }

   private:
    std::vector<rte_mbuf*> held_;
    std::size_t at_ = 0;
    PortFacts facts_;
  };

  rte_mbuf* next_packet();

  BridgeOptions options_;
  BridgeParts parts_;
  std::optional<SlowSink> slow_;
  Spec spec_;
  std::vector<Port*> ports_;
  std::optional<ClientRoster> roster_;
  std::vector<ClientPlace> places_;
  std::optional<TransmitStage> transmit_;
  std::optional<ReplicateStage> replicate_;
  std::deque<rte_mbuf*> received_;  // written long before they are sent
  std::uint64_t packets_ = 0;
};

// The least that can be done for a copy: a header buffer from its pool, a ready header and the
// payload's reference, or a copy of header and payload, in bursts to the driver.
class BareLoop {
 public:
  BareLoop(unsigned payload, bool copies, const BridgeParts& parts);
  ~BareLoop();
  std::uint64_t run(std::uint64_t copies);

 private:
  bool copies_;
  BridgeParts parts_;
  rte_mbuf* payload_;
  std::array<std::uint8_t, 42> header_{};
};

}  // namespace castgate::bench
