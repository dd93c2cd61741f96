// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "dataplane/base/error.h"
#include "dataplane/contract/commands.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// What a capture is to hold, and when it ends by itself.
struct CaptureRequest {
  CaptureStart start;
  std::uint64_t count = UINT64_MAX;  // packets
  std::chrono::milliseconds span = std::chrono::hours(24 * 365);
};

// From the object after "capture" (live_capture.h). Unknown names are answered with the known ones.
Result<CaptureRequest> read_capture_request(const nlohmann::json& object, const Spec& spec);

}  // namespace castgate
