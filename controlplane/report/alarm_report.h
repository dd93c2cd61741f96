// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "controlplane/alarms/alarm.h"
#include "controlplane/report/table.h"

namespace castgate {

// id, alarm, severity, and stream, leg, port, core as far as it has them.
void put_subject(nlohmann::ordered_json& out, const Alarm& alarm);

// `to_wall`: from the alarms' moments to Unix's time.
nlohmann::json to_json(const Alarm& alarm, Nanoseconds to_wall);

// What `show alarms` prints: those that stand, and the cleared ones where the reply has them.
std::string alarms_text(const nlohmann::json& reply);

// "no alarms", or "3 alarms (1 critical, 2 major)".
std::string alarms_headline(const nlohmann::json& alarms);

}  // namespace castgate
