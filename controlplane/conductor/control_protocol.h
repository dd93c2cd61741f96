// SPDX-License-Identifier: Apache-2.0
// What is said over the control socket: one JSON object per line and direction.
//   {"show": "all" | "streams" | "legs" | "ports" | "workers"}  ->  {"appliance": …, "streams": …}
//   {"leg": {"stream": S, "leg": L, "action": "lockout" | "forced" | "manual" | "clear"}}
//                                                               ->  the same (control_orders.h)
//   {"capture": {"stages": [...], ...}}   ->  bytes, on and on
//   (controlplane/capture/live_capture.h) anything else ->  {"error": "what is wrong"}
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/instant.h"
#include "dataplane/contract/snapshot.h"

namespace castgate {

inline constexpr std::size_t kMaxRequest = 4096;  // bytes, with the newline

struct Alarm {
  std::string name;
  std::string text;
};

// The appliance as one moment shows it.
struct Status {
  std::string name;
  Nanoseconds uptime{0};
  std::vector<Alarm> alarms;
  Snapshot snapshot;
};

// The reply's line, newline included. `status` is asked only where the request is good.
std::string answer(std::string_view request, const std::function<Status()>& status);

}  // namespace castgate
