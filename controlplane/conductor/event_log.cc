// SPDX-License-Identifier: Apache-2.0
#include "controlplane/conductor/event_log.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace castgate {

EventLog::EventLog(const Spec& spec) : spec_(spec), gaps_(spec.streams.size()) {}

std::vector<LogLine> EventLog::note(const Event& event) {
  if (event.stream >= spec_.streams.size() || spec_.streams[event.stream].is_vacant()) return {};
  if (event.kind == EventKind::Gap) {
    note_gap(event);
    return {};
  }
  if (lines_ == kLinesPerTurn) {
    ++unsaid_;
    return {};
  }
  ++lines_;
  const bool bad = event.kind == EventKind::LegSilent || event.kind == EventKind::LegDiverged ||
                   event.kind == EventKind::OffsetLost;
  return {{bad ? LogLevel::Warning : LogLevel::Info, describe(event)}};
}

std::vector<LogLine> EventLog::note(const AlarmChange& change) {
  if (alarm_lines_ == kLinesPerTurn) {
    ++unsaid_alarms_;
    return {};
  }
  ++alarm_lines_;
  const std::string_view name = info_of(change.key.kind).name;
  if (!change.cleared) {
    const bool grave = change.severity() <= AlarmSeverity::Major;
    return {{grave ? LogLevel::Error : LogLevel::Warning,
             fmt::format("alarm {} raised: {}", name, change.text)}};
  }
  const std::string of = change.key.of.to_string();
  const auto stood = std::chrono::duration<double>(*change.cleared - change.raised).count();
  return {{LogLevel::Warning, fmt::format("alarm {} cleared{}{} after {:.1f} s", name,
                                          of.empty() ? "" : ": ", of, stood)}};
}

void EventLog::note_gap(const Event& event) {
  if (gaps_.size() < spec_.streams.size()) gaps_.resize(spec_.streams.size());
  Gaps& gaps = gaps_[event.stream];
  const std::uint64_t length = event.to - event.from + 1;
  if (gaps.positions == 0) touched_.push_back(event.stream);
  gaps.positions += length;
  gaps.longest = std::max(gaps.longest, length);
  ++gaps.by_reason[static_cast<std::size_t>(event.reason)];
}

std::string EventLog::describe(const Event& event) const {
  const StreamSpec& stream = spec_.streams[event.stream];
  if (event.kind == EventKind::EpochChange)
    return fmt::format("{}: new epoch {:#010x}", stream.name, event.epoch);
  const std::string leg =
      event.leg < stream.legs.size() ? stream.legs[event.leg].name : fmt::to_string(event.leg);
  if (event.kind == EventKind::OffsetLocked)
    return fmt::format("{}: leg {} offset found: {:+}", stream.name, leg, event.offset);
  if (event.kind == EventKind::OffsetLost)
    return fmt::format("{}: leg {} offset lost: learning it anew", stream.name, leg);
  const char* what = event.kind == EventKind::LegUp          ? "up"
                     : event.kind == EventKind::LegSilent    ? "silent"
                     : event.kind == EventKind::LegPreferred ? "preferred"
                                                             : "diverged: not of this epoch";
  return fmt::format("{}: leg {} {}", stream.name, leg, what);
}

std::string EventLog::describe(std::size_t stream, const Gaps& gaps) const {
  const auto count =
      std::accumulate(gaps.by_reason.begin(), gaps.by_reason.end(), std::uint64_t{0});
  std::string reasons;
  for (std::size_t i = 0; i < gaps.by_reason.size(); ++i)
    if (gaps.by_reason[i] != 0)
      reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", kGapReasonNames[i],
                             gaps.by_reason[i]);
  return fmt::format("{}: {} gaps, {} positions lost, longest {} ({})", spec_.streams[stream].name,
                     count, gaps.positions, gaps.longest, reasons);
}

std::vector<LogLine> EventLog::turn() {
  std::vector<LogLine> lines;
  for (const std::size_t stream : touched_) {
    if (lines.size() < kSummariesPerTurn)
      lines.push_back({LogLevel::Warning, describe(stream, gaps_[stream])});
    gaps_[stream] = {};
  }
  if (touched_.size() > kSummariesPerTurn)
    lines.push_back({LogLevel::Warning,
                     fmt::format("gaps in {} more streams", touched_.size() - kSummariesPerTurn)});
  if (unsaid_ != 0)
    lines.push_back({LogLevel::Warning, fmt::format("{} more events not logged", unsaid_)});
  if (unsaid_alarms_ != 0)
    lines.push_back({LogLevel::Warning,
                     fmt::format("{} more alarms raised or cleared: castgate show alarms --all",
                                 unsaid_alarms_)});
  touched_.clear();
  lines_ = 0;
  unsaid_ = 0;
  alarm_lines_ = 0;
  unsaid_alarms_ = 0;
  return lines;
}

}  // namespace castgate
