// SPDX-License-Identifier: Apache-2.0
#include "controlplane/conductor/watchdog.h"

#include <algorithm>

namespace castgate {

Watchdog::Change Watchdog::heard_beat(Instant now, Nanoseconds age) noexcept {
  const Nanoseconds since_last = started_ ? now - last_look_ : Nanoseconds{0};
  started_ = true;
  last_look_ = now;
  running_ += std::clamp(since_last, Nanoseconds{0}, kLongestLook);
  // A beat older than the last look was judged then, on a clock without our pauses.
  if (age <= since_last) last_beat_ = std::max(last_beat_, running_ - age);

  const bool was = stalled_;
  stalled_ = silence() > kStalledAfter;
  if (stalled_ == was) return Change::None;
  return stalled_ ? Change::Raised : Change::Cleared;
}

void Watchdog::saw_loops(std::span<const std::uint64_t> loops) {
  workers_.resize(loops.size(), Worker{0, running_});
  for (std::size_t i = 0; i < loops.size(); ++i)
    if (loops[i] != workers_[i].loops) workers_[i] = {loops[i], running_};
}

bool Watchdog::any_alive() const noexcept {
  if (workers_.empty()) return true;  // nothing seen yet
  return std::ranges::any_of(workers_,
                             [&](const Worker& w) { return running_ - w.moved < kDeadAfter; });
}

}  // namespace castgate
