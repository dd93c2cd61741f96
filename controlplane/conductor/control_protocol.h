// SPDX-License-Identifier: Apache-2.0
// What is said over the control socket: one JSON object per line and direction.
//   {"show": S}, S one of all, streams, legs, skew, ports, workers, alarms
//                  ->  {"appliance": …, "alarms": [those that stand], "streams": …}
//   {"show": "metrics"}
//                  ->  {"metrics": what Prometheus reads (controlplane/admin/metrics.h)}
//   {"leg": {"stream": S, "leg": L, "action": "lockout" | "forced" | "manual" | "clear"}}
//                  ->  the same (control_orders.h)
//   {"join": {"stream": S, "client": "ADDRESS:PORT"}}, {"leave": …}, {"show": "clients"}
//                  ->  client_orders.h
//   {"capture": {"stages": [...], ...}}
//                  ->  bytes, on and on (controlplane/capture/live_capture.h)
//   anything else  ->  {"error": "what is wrong"}
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/alarms/alarm.h"
#include "dataplane/base/instant.h"
#include "dataplane/contract/door_counters.h"
#include "dataplane/contract/icmp_counters.h"
#include "dataplane/contract/snapshot.h"

namespace castgate {

inline constexpr std::size_t kMaxRequest = 4096;  // bytes, with the newline

struct NamedDoor {
  std::string name;  // "rest"
  DoorCounters counters;
};

// The appliance as one moment shows it.
struct Status {
  std::string name;
  Nanoseconds uptime{0};
  Instant started;             // since 1970, by the wall's clock as it was then
  std::vector<Alarm> alarms;   // those that stand
  std::vector<Alarm> cleared;  // the latest first
  Nanoseconds to_wall{0};      // from the alarms' moments to Unix's time
  Snapshot snapshot;
  std::vector<NamedDoor> doors;
  IcmpCounters icmp;
};

// The reply's line, newline included. `status` is asked only where the request is good.
std::string answer(std::string_view request, const std::function<Status()>& status);

}  // namespace castgate
