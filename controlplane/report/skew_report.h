// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "controlplane/report/table.h"
#include "dataplane/contract/snapshot.h"

namespace castgate {

// The buckets that are not empty: {"from_ns": 64, "below_ns": 80, "count": 3}. The last bucket
// there is has no upper bound.
nlohmann::json to_json(const SkewHistogram& skew);
// Throws nlohmann::json::exception where it is something else.
SkewHistogram skew_from_json(const nlohmann::json& json);

// Gives each leg of `streams`, the JSON of `snapshot`'s, its "skew_histogram".
void add_skew(nlohmann::json& streams, const Snapshot& snapshot);

// One row per leg and bucket.
Table skew_table(const Snapshot& snapshot);

}  // namespace castgate
