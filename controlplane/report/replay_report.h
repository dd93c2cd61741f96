// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/capture/compare.h"
#include "dataplane/contract/runtime.h"

namespace castgate {

// How one port's output compares with what was expected of it.
struct Expectation {
  std::string port;
  std::string path;  // of the expected capture
  std::optional<CaptureDifference> difference;

  bool equal() const noexcept { return !difference; }
};

// What `replay` prints: tables, drops by reason, ledger, expectations, and the headline last.
std::string replay_text(const ReplayResult& result, const std::vector<Expectation>& expected);
// The same for programs, and every counter that there is.
nlohmann::json replay_json(const ReplayResult& result, const std::vector<Expectation>& expected);

}  // namespace castgate
