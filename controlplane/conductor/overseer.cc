// SPDX-License-Identifier: Apache-2.0
#include "controlplane/conductor/overseer.h"

#include <fmt/format.h>

namespace castgate {
namespace {

constexpr unsigned kEventsPerTurn = 1024;              // a turn stays well under its millisecond
constexpr unsigned kEventsAtEnd = kMaxWorkers * 4096;  // what all rings hold

}  // namespace

void Overseer::turn(Runtime& runtime, Moment now) {
  read_events(runtime, now, kEventsPerTurn);
  runtime.heartbeat_ages(ages_);
  judge_beats(now.at);
  alarms_.turn(now.at);
  tell_alarms(now);
  journal_.flush();
}

void Overseer::note(const ClientGone& client, Moment now) {
  journal_.note(client, client.at + (now.wall - now.at));
}

void Overseer::look(const Snapshot& snapshot, Instant now) {
  journal_.turn();
  watch_.look(snapshot, now, alarms_);
  judge_event_log(now);
}

void Overseer::follow(const Spec& after, Runtime& runtime, Moment now) {
  read_events(runtime, now, kEventsAtEnd);
  journal_.turn();
  watch_.follow(after, now.at, alarms_);
  tell_alarms(now);
}

void Overseer::finish(Runtime& runtime, Moment now) {
  read_events(runtime, now, kEventsAtEnd);
  tell_alarms(now);
  journal_.finish();
}

void Overseer::read_events(Runtime& runtime, Moment now, unsigned most) {
  const Nanoseconds to_wall = now.wall - runtime.now();
  Event event;
  for (unsigned i = 0; i < most && runtime.poll_event(event); ++i) {
    journal_.note(event, event.at + to_wall);
    watch_.note(event, now.at, alarms_);
  }
  const std::uint64_t missed = runtime.missed_events();
  if (missed != missed_events_) journal_.miss(missed - missed_events_, now.wall);
  missed_events_ = missed;
}

void Overseer::judge_beats(Instant now) {
  const auto change = watchdog_.heard_beats(now, ages_);
  if (change == Watchdog::Change::None && !watchdog_.stalled()) return;
  for (unsigned w = 0; w < ages_.size(); ++w) {
    const unsigned core = spec_.appliance.worker_cores[w];
    const AlarmKey key{AlarmKind::WorkerStalled, {.core = core}};
    if (!watchdog_.is_stalled(w)) {
      alarms_.gone(key, now);
      continue;
    }
    alarms_.stands(key,
                   fmt::format("the worker on core {} made no progress for {} ms; give it the core "
                               "alone: castgate doctor says how",
                               core, Watchdog::kStalledAfter / std::chrono::milliseconds(1)),
                   now);
  }
}

void Overseer::judge_event_log(Instant now) {
  const AlarmKey key{AlarmKind::EventLog, {}};
  const std::uint64_t lost = journal_.lost() - lost_lines_;
  lost_lines_ = journal_.lost();
  if (!journal_.fault().empty()) {
    alarms_.stands(key,
                   fmt::format("event_log {}: {}; make room or name another file",
                               spec_.appliance.event_log, journal_.fault()),
                   now);
  } else if (lost != 0) {
    alarms_.stands(key, fmt::format("{} events are in no log: they came too fast", lost), now);
  } else {
    alarms_.gone(key, now);
  }
}

void Overseer::tell_alarms(Moment now) {
  for (const AlarmChange& change : alarms_.take_changes())
    journal_.note(change, change.cleared.value_or(change.raised) + (now.wall - now.at));
}

}  // namespace castgate
