// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "controlplane/alarms/alarm_table.h"
#include "dataplane/contract/events.h"
#include "dataplane/contract/snapshot.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Turns what the data plane counts into alarms: looks at a snapshot once a second, judges each
// stream over its last second and over its latent period, each port over the last second.
class Watch {
 public:
  static constexpr Nanoseconds kLook = std::chrono::seconds(1);

  // `now`: from when on a stream that was never heard is missed.
  Watch(const Spec& spec, Instant now);

  void look(const Snapshot& snapshot, Instant now, AlarmTable& alarms);
  // The spec is about to become `after`: what comes is watched from here on, what goes has no
  // alarms, what changes is judged anew.
  void follow(const Spec& after, Instant now, AlarmTable& alarms);
  // A leg's change, told before the next look.
  void note(const Event& event, Instant now, AlarmTable& alarms) const;
  // What is judged by: a stream that nobody wants has no alarms. Empty: all are wanted.
  void set_wanted(std::function<bool(std::size_t stream)> wanted) { wanted_ = std::move(wanted); }

 private:
  struct Stream {
    StreamSnapshot last;      // at the last look
    StreamSnapshot compared;  // when the latent period began
    Instant compared_at;
    Instant heard_at;
    bool ever_heard = false;
  };

  bool wanted(std::size_t s) const { return !wanted_ || wanted_(s); }
  void look_at(std::size_t s, const StreamSnapshot& shown, Instant now, AlarmTable& alarms);
  void look_at(const PortSnapshot& before, const PortSnapshot& port, Instant now,
               AlarmTable& alarms) const;

  const Spec& spec_;
  std::function<bool(std::size_t stream)> wanted_;
  std::vector<Stream> streams_;
  std::vector<PortSnapshot> ports_;  // at the last look
  bool looked_ = false;
  Instant looked_at_;
};

}  // namespace castgate
