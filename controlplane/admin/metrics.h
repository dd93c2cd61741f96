// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "controlplane/conductor/control_protocol.h"

namespace castgate {

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

// What Prometheus reads of the appliance: every counter of dataplane/contract/counters.h and every
// metric of dataplane/contract/metrics.h, in the text format 0.0.4. Single clients are not in it: a
// unicast output tells their number and their sums.
std::string metrics_text(const Status& status);

}  // namespace castgate
