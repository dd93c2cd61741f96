// SPDX-License-Identifier: Apache-2.0
// Snapshots as JSON and back. Names and fields come from the tables of dataplane/contract, so a
// counter added there appears here and nowhere needs its name again.
#pragma once

#include <nlohmann/json.hpp>

#include "dataplane/base/error.h"
#include "dataplane/contract/snapshot.h"

namespace castgate {

nlohmann::json to_json(const StreamSnapshot& stream);
nlohmann::json to_json(const PortSnapshot& port);
nlohmann::json to_json(const WorkerSnapshot& worker);
nlohmann::json to_json(const DropCounts& drops);  // those that are not zero, by name
nlohmann::json to_json(const Ledger& ledger);
nlohmann::json to_json(const Snapshot& snapshot);

// Absent parts and counters stay zero: an older server's reply can be read. What has a wrong type
// is an error.
Result<Snapshot> snapshot_from_json(const nlohmann::json& json);

}  // namespace castgate
