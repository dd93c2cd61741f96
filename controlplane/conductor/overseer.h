// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "controlplane/alarms/alarm_table.h"
#include "controlplane/alarms/watch.h"
#include "controlplane/conductor/journal.h"
#include "controlplane/conductor/watchdog.h"
#include "dataplane/contract/runtime.h"

namespace castgate {

// One moment on two clocks: one that never jumps, and the wall's, since 1970.
struct Moment {
  Instant at;
  Instant wall;
};

// Watches a running data plane: reads its events, judges its beats and counters, and says in the
// journal what happened and which alarms that raised and cleared.
class Overseer {
 public:
  Overseer(const Spec& spec, Instant now) : spec_(spec), journal_(spec), watch_(spec, now) {}

  Result<void> open() { return journal_.open(); }
  void reopen_log() { journal_.reopen(); }

  // Once a millisecond.
  void turn(Runtime& runtime, Moment now);
  void note(const ClientGone& client, Moment now);
  // Once a second.
  void look(const Snapshot& snapshot, Instant now);
  // Before the spec becomes `after`: what happened until now is told by the names of before.
  void follow(const Spec& after, Runtime& runtime, Moment now);
  // After the data plane has drained: what its rings still hold.
  void finish(Runtime& runtime, Moment now);

  void set_wanted(std::function<bool(std::size_t stream)> wanted) {
    watch_.set_wanted(std::move(wanted));
  }

  AlarmTable& alarms() noexcept { return alarms_; }
  const Watchdog& watchdog() const noexcept { return watchdog_; }

 private:
  void read_events(Runtime& runtime, Moment now, unsigned most);
  void judge_beats(Instant now);
  void judge_event_log(Instant now);
  void tell_alarms(Moment now);

  const Spec& spec_;
  Journal journal_;
  AlarmTable alarms_;
  Watch watch_;
  Watchdog watchdog_;
  std::vector<Nanoseconds> ages_;  // of the workers' beats
  std::uint64_t missed_events_ = 0;
  std::uint64_t lost_lines_ = 0;  // when last judged
};

}  // namespace castgate
