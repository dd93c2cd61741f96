// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "dataplane/base/error.h"
#include "dataplane/contract/snapshot.h"

namespace castgate {

// Every table and the ledger: what `run` prints as its last word.
std::string all_tables(const Snapshot& snapshot);

// What `show` prints of a running castgate's reply. `what`: all, streams, legs, skew,
// ports, workers, alarms, clients or metrics.
Result<std::string> status_text(const nlohmann::json& reply, std::string_view what);

// One line: name, uptime and how many alarms stand.
std::string status_line(const nlohmann::json& reply);

}  // namespace castgate
