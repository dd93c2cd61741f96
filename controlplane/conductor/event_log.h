// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "controlplane/alarms/alarm_table.h"
#include "dataplane/contract/events.h"
#include "dataplane/contract/spec.h"

namespace castgate {

enum class LogLevel : std::uint8_t { Info, Warning, Error };

struct LogLine {
  LogLevel level = LogLevel::Info;
  std::string text;
};

// Turns events into lines for the log, a bounded number per second whatever happens on the wire:
// gaps only as one summary per stream, the rest one line each up to kLinesPerTurn, and alarms up to
// as many; what was suppressed is counted.
class EventLog {
 public:
  static constexpr unsigned kLinesPerTurn = 20;
  static constexpr unsigned kSummariesPerTurn = 20;

  explicit EventLog(const Spec& spec);

  // Lines to log now: none or one.
  std::vector<LogLine> note(const Event& event);
  std::vector<LogLine> note(const AlarmChange& change);
  // What gathered since the last call. Call once a second.
  std::vector<LogLine> turn();

 private:
  struct Gaps {
    std::uint64_t positions = 0;
    std::uint64_t longest = 0;
    std::array<std::uint64_t, kGapReasonNames.size()> by_reason{};
  };

  void note_gap(const Event& event);
  std::string describe(const Event& event) const;
  std::string describe(std::size_t stream, const Gaps& gaps) const;

  const Spec& spec_;
  std::vector<Gaps> gaps_;            // by stream
  std::vector<std::size_t> touched_;  // streams with gaps since the last turn
  unsigned lines_ = 0;
  std::uint64_t unsaid_ = 0;
  unsigned alarm_lines_ = 0;
  std::uint64_t unsaid_alarms_ = 0;
};

}  // namespace castgate
