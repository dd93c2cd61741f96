// SPDX-License-Identifier: Apache-2.0
// The one table of alarms: name, severity, how long an alarm outlives its cause, and meaning. The
// control plane raises them, `show alarms`, the log and pipelines/reference.md name them from here.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/base/instant.h"

namespace castgate {

// ITU-T X.733 8.1.2.3.
enum class AlarmSeverity : std::uint8_t { Critical, Major, Minor, Warning };

inline constexpr std::array<std::string_view, 4> kAlarmSeverityNames{"critical", "major", "minor",
                                                                     "warning"};

enum class AlarmKind : std::uint8_t {
  AllLegsDown,
  WorkerStalled,
  NotSealed,
  LegSilent,
  LegDiverged,
  OffsetUnknown,
  LatentError,
  PathDifferential,
  SignalDegrade,
  ContentMismatch,
  LinkDown,
  PoolEmpty,
  HostStack,
  NoQuerier,
  EventLog,
  StateDir,
  kCount
};

struct AlarmInfo {
  AlarmKind kind;
  std::string_view name;
  AlarmSeverity severity;
  // Hold-down: gone for so long before the alarm is cleared, so that what flaps is one alarm.
  Nanoseconds clear_after;
  std::string_view meaning;
};

inline constexpr std::size_t kAlarmKinds = static_cast<std::size_t>(AlarmKind::kCount);

inline constexpr std::array<AlarmInfo, kAlarmKinds> kAlarmTable{{
    {AlarmKind::AllLegsDown, "all_legs_down", AlarmSeverity::Critical, std::chrono::seconds(1),
     "no leg of the stream brought a packet for monitor.down_after"},
    {AlarmKind::WorkerStalled, "worker_stalled", AlarmSeverity::Critical, std::chrono::seconds(1),
     "a worker made no progress for 20 ms: all its streams stood still"},
    {AlarmKind::NotSealed, "not_sealed", AlarmSeverity::Critical, std::chrono::seconds(2),
     "more packets of protected outputs than monitor.degrade_loss could not be encrypted: dropped"},
    {AlarmKind::LegSilent, "leg_silent", AlarmSeverity::Major, std::chrono::seconds(2),
     "a leg brings nothing, or never did, while the stream goes on"},
    {AlarmKind::LegDiverged, "leg_diverged", AlarmSeverity::Major, std::chrono::seconds(2),
     "a leg carries other numbers than the stream: it restarted alone, or is another source"},
    {AlarmKind::OffsetUnknown, "offset_unknown", AlarmSeverity::Major, std::chrono::seconds(2),
     "a leg with offset: auto matches no other leg's payloads: it brings nothing"},
    {AlarmKind::LatentError, "latent_error", AlarmSeverity::Major, std::chrono::seconds(2),
     "the output is whole, but a leg brings much less than the stream (IEEE 802.1CB 7.4.4)"},
    {AlarmKind::PathDifferential, "path_differential", AlarmSeverity::Major,
     std::chrono::seconds(10),
     "a leg is further behind than max_skew, or came after its position was given up"},
    {AlarmKind::SignalDegrade, "signal_degrade", AlarmSeverity::Minor, std::chrono::seconds(10),
     "a leg lost more than monitor.degrade_loss of its positions within a second"},
    {AlarmKind::ContentMismatch, "content_mismatch", AlarmSeverity::Major, std::chrono::seconds(10),
     "a leg's bytes differ from another leg's at the same position"},
    {AlarmKind::LinkDown, "link_down", AlarmSeverity::Major, std::chrono::seconds(2),
     "a port has no link"},
    {AlarmKind::PoolEmpty, "pool_empty", AlarmSeverity::Major, std::chrono::seconds(10),
     "reception on a port found no packet buffer"},
    {AlarmKind::HostStack, "host_stack", AlarmSeverity::Major, std::chrono::seconds(0),
     "a group could not be joined, or a port's twin not be made"},
    {AlarmKind::NoQuerier, "no_querier", AlarmSeverity::Warning, std::chrono::seconds(0),
     "nobody asks for memberships on a network: switches there flood or prune"},
    {AlarmKind::EventLog, "event_log", AlarmSeverity::Warning, std::chrono::seconds(10),
     "the event log could not be written, or events came faster than they were read"},
    {AlarmKind::StateDir, "state_dir", AlarmSeverity::Major, std::chrono::seconds(10),
     "clients cannot be written to appliance.state_dir: a restart would forget them"},
}};

constexpr const AlarmInfo& info_of(AlarmKind kind) noexcept {
  return kAlarmTable[static_cast<std::size_t>(kind)];
}

consteval bool alarms_stand_in_order() {
  for (std::size_t i = 0; i < kAlarmKinds; ++i)
    if (static_cast<std::size_t>(kAlarmTable[i].kind) != i) return false;
  return true;
}
static_assert(alarms_stand_in_order());

}  // namespace castgate
