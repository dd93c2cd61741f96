// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "dataplane/base/instant.h"

namespace castgate {

// RFC 3339 in UTC, to the nanosecond: 2026-11-21T10:55:00.123456789Z. The origin is Unix's.
std::string wall_time(Instant since_1970);

}  // namespace castgate
