// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/pipeline.h"
#include "tests/bench/bridge_scene.h"
#include "tests/bench/timed_feed.h"

namespace castgate::bench {

// A stream to one client beside one whose crowd of clients is more than the worker can serve.
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

  ClientPlace join(std::uint16_t stream, unsigned number);

  TimedFeed one_;
  TimedFeed many_;
  Spec spec_;
  std::vector<Port*> ports_;
  std::optional<ClientRoster> roster_;
  std::unique_ptr<FlowTable> flows_;
  std::unique_ptr<Pipeline> pipeline_;
  ClientPlace client_;
  Instant end_;
};

}  // namespace castgate::bench
