// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/pipeline.h"
#include "tests/bench/bridge_scene.h"
#include "tests/bench/timed_feed.h"

namespace castgate::bench {

// A stream to clients that stay, a million copies a second, while others join and leave. Each turn
// of the worker that has something to do is timed; beside it, a bare loop of a turn's most copies.
class ChurnScene final : private ClassifyExits, private EventSink {
 public:
  static constexpr unsigned kJoins = 5'000;  // a second, and as many leaves

  explicit ChurnScene(const BridgeParts& parts);
  ~ChurnScene() override;

  // Once.
  void run(Nanoseconds span);

  // Microseconds, one a turn.
  struct Turns {
    std::vector<double> by_clock;  // what other load took from the core included
    std::vector<double> own;       // the thread's own CPU time
    std::vector<double> unit;      // of the bare loop, by the clock
  };
  const Turns& turns() const noexcept { return turns_; }

  struct Outcome {
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;  // copies for who stays that are missing
    std::uint64_t joins = 0;
    std::uint64_t copies = 0;
  };
  // After the last run.
  Outcome outcome();

 private:
  bool hand_over(rte_mbuf*, unsigned) noexcept override { return false; }
  bool punt(rte_mbuf*, unsigned, HostKind, Instant) noexcept override { return false; }
  void report(const Event&) noexcept override {}

  ClientPlace join(unsigned number);
  void churn(Instant now);
  bool turn(Instant now) noexcept;

  TimedFeed feed_;
  BareLoop bare_;
  Spec spec_;
  std::vector<Port*> ports_;
  std::optional<ClientRoster> roster_;
  std::unique_ptr<FlowTable> flows_;
  std::unique_ptr<Pipeline> pipeline_;
  std::vector<ClientPlace> stay_;
  std::deque<ClientPlace> guests_;
  std::deque<Command> commands_;  // as they wait in a worker's ring
  std::uint64_t issued_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t joins_ = 0;
  Turns turns_;
  Instant end_;
};

}  // namespace castgate::bench
