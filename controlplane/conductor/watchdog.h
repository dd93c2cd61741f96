// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
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

  // `ages`: how long ago each worker ended a loop. Call at every look. Raised: one stands still
  // and none did; Cleared: all move again.
  Change heard_beats(Instant now, std::span<const Nanoseconds> ages);

  // The first worker that stands still.
  std::optional<unsigned> stalled() const noexcept;
  bool is_stalled(unsigned index) const noexcept;
  // How often worker `index` stood still so far.
  std::uint64_t stalls(unsigned index) const noexcept;
  // False once no worker has looped for kDeadAfter: the service manager may then restart us.
  bool any_alive() const noexcept;

 private:
  struct Worker {
    Nanoseconds last_beat{0};  // by running_
    std::uint64_t stalls = 0;
    bool stalled = false;
  };

  bool started_ = false;
  Instant last_look_;
  Nanoseconds running_{0};  // time that passed while the control thread ran
  std::vector<Worker> workers_;
};

}  // namespace castgate
