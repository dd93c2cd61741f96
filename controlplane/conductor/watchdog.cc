// SPDX-License-Identifier: Apache-2.0
#include "controlplane/conductor/watchdog.h"

#include <algorithm>

namespace castgate {

Watchdog::Change Watchdog::heard_beats(Instant now, std::span<const Nanoseconds> ages) {
  const bool any_before = stalled().has_value();
  const Nanoseconds since_last = started_ ? now - last_look_ : Nanoseconds{0};
  started_ = true;
  last_look_ = now;
  running_ += std::clamp(since_last, Nanoseconds{0}, kLongestLook);
  workers_.resize(ages.size(), Worker{.last_beat = running_});
  for (std::size_t w = 0; w < ages.size(); ++w) {
    Worker& worker = workers_[w];
    // A beat older than the last look was judged then, on a clock without our pauses.
    if (ages[w] <= since_last) worker.last_beat = std::max(worker.last_beat, running_ - ages[w]);
    const bool stalled = running_ - worker.last_beat > kStalledAfter;
    if (stalled && !worker.stalled) ++worker.stalls;
    worker.stalled = stalled;
  }
  const bool any = stalled().has_value();
  if (any == any_before) return Change::None;
  return any ? Change::Raised : Change::Cleared;
}

std::optional<unsigned> Watchdog::stalled() const noexcept {
  const auto found = std::ranges::find(workers_, true, &Worker::stalled);
  if (found == workers_.end()) return {};
  return static_cast<unsigned>(found - workers_.begin());
}

bool Watchdog::is_stalled(unsigned index) const noexcept {
  return index < workers_.size() && workers_[index].stalled;
}

std::uint64_t Watchdog::stalls(unsigned index) const noexcept {
  return index < workers_.size() ? workers_[index].stalls : 0;
}

bool Watchdog::any_alive() const noexcept {
  if (workers_.empty()) return true;  // nothing seen yet
  return std::ranges::any_of(workers_,
                             [&](const Worker& w) { return running_ - w.last_beat < kDeadAfter; });
}

}  // namespace castgate
