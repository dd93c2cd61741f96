// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/instant.h"

namespace castgate {

// Judges whether workers make progress, by their own beats. Time that the control thread itself
// did not run (a debugger, SIGSTOP, a busy host) counts for nobody: it is taken out of every span.
class Watchdog {
 public:
  static constexpr Nanoseconds kStalledAfter{20'000'000};
  static constexpr Nanoseconds kDeadAfter{5'000'000'000};
  // More than this between two looks is a pause of ours. Looks come every millisecond.
  static constexpr Nanoseconds kLongestLook{10'000'000};

  enum class Change : std::uint8_t { None, Raised, Cleared };

  // `age`: how long ago the slowest worker ended a loop. Call at every look.
  Change heard_beat(Instant now, Nanoseconds age) noexcept;
  // Each worker's loops so far. Call at any look, after heard_beat.
  void saw_loops(std::span<const std::uint64_t> loops);

  bool stalled() const noexcept { return stalled_; }
  // How long the slowest worker has been without a beat, less our own pauses.
  Nanoseconds silence() const noexcept { return running_ - last_beat_; }
  // False once no worker has looped for kDeadAfter: the service manager may then restart us.
  bool any_alive() const noexcept;

 private:
  struct Worker {
    std::uint64_t loops = 0;
    Nanoseconds moved{0};  // when, by running_
  };

  bool started_ = false;
  bool stalled_ = false;
  Instant last_look_;
  Nanoseconds running_{0};  // time that passed while the control thread ran
  Nanoseconds last_beat_{0};
  std::vector<Worker> workers_;
};

}  // namespace castgate
