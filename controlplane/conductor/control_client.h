// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "dataplane/base/error.h"

namespace castgate {

// --socket, else $CASTGATE_SOCKET, else the documented default.
std::string control_socket_path(const std::string& option);

// Asks the castgate that serves `path`; waits some seconds at most. An {"error": …} is an error
// here.
Result<nlohmann::json> ask_castgate(const std::string& path, const nlohmann::json& request);

// The same where bytes come before the reply: each line {"bytes": N} is followed by N of them. They
// go to `sink`; where that says false, what came so far must do, and there is no reply: null.
Result<nlohmann::json> stream_castgate(const std::string& path, const nlohmann::json& request,
                                       const std::function<bool(std::span<const std::byte>)>& sink);

}  // namespace castgate
