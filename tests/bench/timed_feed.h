// SPDX-License-Identifier: Apache-2.0
// Streams whose packets come at their time, by a clock on which only this thread's work counts.
#pragma once

#include <span>

#include "dataplane/contract/spec.h"
#include "tests/bench/generator_port.h"

namespace castgate::bench {

// The thread's own CPU time: who else runs on the core delays nothing, and what is served too late
// is lost as it would be behind a NIC.
Instant own_time() noexcept;

// One leg on the port of its number, and one output with so many clients.
StreamSpec unicast_stream(unsigned leg, unsigned out, unsigned clients, unsigned most_pps);

// Packets that come at their time, into a receive ring that holds so many.
class TimedFeed {
 public:
  TimedFeed(unsigned leg, unsigned rate, rte_mempool* pool)
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

}  // namespace castgate::bench
