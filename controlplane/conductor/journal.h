// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "controlplane/alarms/alarm.h"
#include "controlplane/clients/client_gone.h"
#include "controlplane/conductor/event_file.h"
#include "controlplane/conductor/event_log.h"

namespace castgate {

// Says what happens, twice: in the log, a bounded number of lines for people, and in the event log
// of the spec, where it names one, every event and alarm as a line of JSON.
class Journal {
 public:
  explicit Journal(const Spec& spec) : spec_(spec), log_(spec) {}

  Result<void> open();
  // After somebody renamed the event log (logrotate).
  void reopen();

  void note(const Event& event, Instant wall);
  void note(const AlarmChange& change, Instant wall);
  void note(const ClientGone& client, Instant wall);  // whose line in the log is written already
  // `count` events found no room on their way here.
  void miss(std::uint64_t count, Instant wall);
  void flush();
  void turn();    // once a second
  void finish();  // last

  // Events and alarms that no line of the event log tells.
  std::uint64_t lost() const noexcept { return lost_; }
  std::string fault() const;  // why the last write failed; empty where it did not

 private:
  void write(const std::string& line, Instant wall);

  const Spec& spec_;
  EventLog log_;
  std::optional<EventFile> file_;
  std::uint64_t lost_ = 0;
  std::uint64_t untold_ = 0;  // of them, by the event log
};

}  // namespace castgate
