// SPDX-License-Identifier: Apache-2.0
#include "dataplane/end_together.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace castgate {
namespace {

// Together under the second in which a drain must end.
constexpr std::chrono::milliseconds kLongestSettle{500};
constexpr std::chrono::milliseconds kLongestDrain{200};
constexpr std::chrono::milliseconds kLongestLeave{200};

}  // namespace

void end_together(std::span<const std::unique_ptr<Worker>> workers,
                  std::span<PacketRing* const> between, const std::function<bool(unsigned)>& left) {
  const auto enter = [&](WorkerPhase phase, std::chrono::milliseconds patience, const auto& done) {
    for (const auto& worker : workers) worker->enter(phase);
    const auto give_up = std::chrono::steady_clock::now() + patience;
    while (!done() && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  };
  const auto all_finished = [&](WorkerPhase phase) {
    return std::ranges::all_of(workers, [&](const auto& w) { return w->finished(phase); });
  };
  const auto all_empty = [&](WorkerPhase phase) {
    return std::ranges::none_of(between, &PacketRing::waiting) && all_finished(phase);
  };
  enter(WorkerPhase::Settle, kLongestSettle, [&] { return all_empty(WorkerPhase::Settle); });
  enter(WorkerPhase::Drain, kLongestDrain, [&] { return all_empty(WorkerPhase::Drain); });
  enter(WorkerPhase::Leave, kLongestLeave, [&] {
    for (unsigned w = 0; w < workers.size(); ++w) {
      if (!left(w)) return false;
    }
    return true;
  });
}

}  // namespace castgate
