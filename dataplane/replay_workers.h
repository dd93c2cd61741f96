// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "dataplane/base/error.h"
#include "dataplane/packet_ring.h"
#include "dataplane/pipeline.h"

namespace castgate {

// The workers of a replay, in its one thread: the first serves every stream, each other one has a
// part of their clients where these are split (fan_workers).
class ReplayWorkers {
 public:
  // `parts`: of the first; of the others what is not theirs is left out.
  static Result<std::unique_ptr<ReplayWorkers>> make(const PipelineParts& parts);

  // Who takes what is received, and knows when something is due.
  Pipeline& first() noexcept { return *pipelines_.front(); }

  // To whom it concerns.
  void command(const Command& command, Instant now) noexcept;
  // There is nothing else to do: every client gets its packet at the packet's time.
  void serve(Instant now) noexcept;
  void show_to(Tap* tap) noexcept;
  std::uint64_t held() const noexcept;
  void drain(Instant now) noexcept;
  // Adds what all of them count.
  void fill(Snapshot& into) const;

 private:
  ReplayWorkers() = default;
  bool take_parts(Instant now) noexcept;

  std::deque<PacketRing> rings_;  // to each worker but the first
  std::vector<std::unique_ptr<Pipeline>> pipelines_;
};

}  // namespace castgate
