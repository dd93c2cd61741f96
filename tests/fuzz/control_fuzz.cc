// SPDX-License-Identifier: Apache-2.0
// Anybody who may open the control socket may send any line: the answer is one line of JSON, an
// error unless the request is one of those that are documented.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "controlplane/conductor/control_protocol.h"
#include "dataplane/base/check.h"

namespace castgate {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bool asked = false;
  const auto status = [&] {
    asked = true;
    const Alarm alarm{.key = {AlarmKind::LinkDown, {.port = "red"}},
                      .text = "no link",
                      .raised = {},
                      .cleared = {}};
    return Status{.name = "edge", .alarms = {alarm}, .cleared = {alarm}, .snapshot = {}};
  };
  const std::string_view request(reinterpret_cast<const char*>(data), size);
  const std::string reply = answer(request, status);
  CG_CHECK(reply.ends_with('\n') && reply.find('\n') == reply.size() - 1);
  const auto parsed = nlohmann::json::parse(reply, nullptr, false);
  CG_CHECK(parsed.is_object() && parsed.contains("error") != asked);
  return 0;
}

}  // namespace castgate
