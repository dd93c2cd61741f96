// SPDX-License-Identifier: Apache-2.0
// The event log: one JSON object a line, newline included. Each has "at", the wall clock's time in
// UTC, and "event": gap, epoch_change, leg_up, leg_silent, leg_diverged, client_gone,
// alarm_raised, alarm_cleared or events_lost.
#pragma once

#include <cstdint>
#include <string>

#include "controlplane/alarms/alarm.h"
#include "controlplane/clients/client_gone.h"
#include "dataplane/contract/events.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Empty where the event's stream is none of `spec`.
std::string event_line(const Spec& spec, const Event& event, Instant wall);
std::string client_line(const ClientGone& client, Instant wall);
std::string alarm_line(const Alarm& alarm, Instant wall);
// `count` events are missing before this line.
std::string lost_line(std::uint64_t count, Instant wall);

}  // namespace castgate
