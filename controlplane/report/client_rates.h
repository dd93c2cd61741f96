// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "controlplane/report/table.h"
#include "dataplane/base/instant.h"
#include "dataplane/contract/snapshot.h"

namespace castgate {

// Per second, between two moments of one appliance, as in rates.h: what each unicast output sends
// to how many clients. A total stands below where there are several.
Table unicast_rates_table(const Snapshot& before, const Snapshot& after, Nanoseconds between);

// The clients of `after`, a reply to `show clients`, with what each got and did not get per second
// since `before`; of one that is not in `before`, since it joined.
Table client_rates_table(const nlohmann::json& before, const nlohmann::json& after,
                         Nanoseconds between);

// "10000 clients; the first 20 by drops:"
std::string clients_headline(const nlohmann::json& reply, std::string_view by);

}  // namespace castgate
