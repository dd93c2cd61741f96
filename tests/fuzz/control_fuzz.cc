// SPDX-License-Identifier: Apache-2.0
// Anybody who may open the control socket may send any line: the answer is one line of JSON, an
// error unless the request is one of those that are documented.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "controlplane/admin/metrics.h"
#include "controlplane/capture/capture_request.h"
#include "controlplane/conductor/control_orders.h"
#include "controlplane/conductor/control_protocol.h"
#include "dataplane/base/check.h"

namespace castgate {

// What the socket hands on without reading it, and what only Prometheus reads.
std::string metrics_text(const Status& /*status*/) {
  return "castgate_up 1\n";
}

namespace {

nlohmann::json one_line(const std::string& reply) {
  CG_CHECK(reply.ends_with('\n') && reply.find('\n') == reply.size() - 1);
  return nlohmann::json::parse(reply, nullptr, false);
}

Spec one_stream() {
  Spec spec;
  StreamSpec& stream = spec.streams.emplace_back();
  stream.name = "news1";
  stream.legs.resize(2);
  stream.legs[0].name = "A";
  stream.legs[1].name = "B";
  return spec;
}

}  // namespace

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
  const auto parsed = one_line(answer(request, status));
  CG_CHECK(parsed.is_object() && parsed.contains("error") != asked);

  static const Spec spec = one_stream();
  bool sent = false;
  const auto order = answer_order(request, spec, [&](const Command& command) {
    sent = true;
    CG_CHECK(command.kind == CommandKind::Leg && command.leg.stream == 0 && command.leg.leg < 2);
    return true;
  });
  const auto asked_for = nlohmann::json::parse(request, nullptr, false);
  if (asked_for.is_object() && asked_for.contains("capture")) {
    const auto capture = read_capture_request(asked_for["capture"], spec);
    CG_CHECK(!capture || (capture->start.stages != 0 && capture->count != 0 &&
                          (capture->start.stages & ~kAllCaptureStages) == 0));
    CG_CHECK(capture || !capture.error().text.empty());
  }
  if (order) CG_CHECK(one_line(*order).contains("error") != sent);
  return 0;
}

}  // namespace castgate
