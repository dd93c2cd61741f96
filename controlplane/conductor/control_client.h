// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "dataplane/base/error.h"

namespace castgate {

// --socket, else $CASTGATE_SOCKET, else the documented default.
std::string control_socket_path(const std::string& option);

// Asks the castgate that serves `path`; waits some seconds at most. An {"error": …} is an error
// here.
Result<nlohmann::json> ask_castgate(const std::string& path, const nlohmann::json& request);

}  // namespace castgate
