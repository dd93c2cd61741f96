// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/pipeline.h"
#include "tests/bench/bridge_scene.h"
#include "tests/bench/generator_port.h"

namespace castgate::bench {

// A stream to one client beside one whose crowd of clients is more than the worker can serve. Time
// is the thread's own CPU time: who else runs on the core delays nothing, and what the worker
// itself takes too long for is lost as it would be behind a NIC.
class NeighbourScene final : private ClassifyExits, private EventSink {
 public:
  static constexpr unsigned kRate = 200'000;  // packets a second of the stream to one client

  NeighbourScene(unsigned crowd, const BridgeParts& parts);
  ~NeighbourScene() override;

  // Once.
  void run(Nanoseconds span);

  struct Outcome {
    std::uint64_t sent = 0;  // to the one client's stream
    std::uint64_t lost = 0;  // of these
    unsigned most_waiting = 0;
    std::uint64_t copies = 0;        // that the crowd got
    std::uint64_t left_waiting = 0;  // the crowd's packets that nobody got: too many waited
  };
  // After the last run.
  Outcome outcome();

 private:
  bool hand_over(rte_mbuf*, unsigned) noexcept override { return false; }
  bool punt(rte_mbuf*, unsigned, HostKind, Instant) noexcept override { return false; }
  void report(const Event&) noexcept override {}

  // Packets that come at their time, into a receive ring that holds so many.
  class Feed {
   public:
    Feed(unsigned leg, unsigned rate, rte_mempool* pool)
        : generator_({.leg = leg, .streams = 1}, pool), rate_(rate) {}
    void advance(Instant now) noexcept;
    unsigned receive(std::span<rte_mbuf*> burst) noexcept;
    Port* port() noexcept { return &generator_; }

    std::uint64_t come = 0;
    std::uint64_t lost = 0;
    std::uint64_t taken = 0;
    unsigned most_waiting = 0;

   private:
    GeneratorPort generator_;
    unsigned rate_;  // packets a second
  };

  ClientPlace join(std::uint16_t stream, unsigned number);

  Feed one_;
  Feed many_;
  Spec spec_;
  std::vector<Port*> ports_;
  std::optional<ClientRoster> roster_;
  std::unique_ptr<FlowTable> flows_;
  std::unique_ptr<Pipeline> pipeline_;
  ClientPlace client_;
  Instant end_;
};

}  // namespace castgate::bench
