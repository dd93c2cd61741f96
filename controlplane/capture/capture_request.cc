// SPDX-License-Identifier: Apache-2.0
#include "controlplane/capture/capture_request.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "controlplane/conductor/known_names.h"

namespace castgate {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 7> kFields{"stages", "stream",       "port", "snaplen",
                                                  "count",  "milliseconds", "clear"};

bool is_there(const json& object, const char* field) {
  return object.contains(field);
}

Result<std::uint8_t> read_stages(const json& object) {
  std::uint8_t stages = 0;
  const json given = object.value("stages", json());
  for (const json& stage : given.is_array() ? given : json::array()) {
    const std::string name = stage.is_string() ? stage.get<std::string>() : stage.dump();
    const auto* known = std::ranges::find(kCaptureStageNames, name);
    if (known == kCaptureStageNames.end()) {
      return fail(
          fmt::format("no stage '{}'; there are: {}", name, fmt::join(kCaptureStageNames, ", ")));
    }
    stages = static_cast<std::uint8_t>(stages | 1u << (known - kCaptureStageNames.begin()));
  }
  if (stages == 0) {
    return fail(fmt::format("which stage? --stage, one or more of: {}",
                            fmt::join(kCaptureStageNames, ", ")));
  }
  return stages;
}

Result<std::uint64_t> read_number(const json& object, const char* field) {
  const json& value = object[field];
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() == 0) {
    return fail(fmt::format("{}: expected a number, 1 or more", field));
  }
  return value.get<std::uint64_t>();
}

template <class Item>
Result<std::uint16_t> read_name(const json& object, const char* field,
                                const std::vector<Item>& items) {
  const json& value = object[field];
  const std::string name = value.is_string() ? value.get<std::string>() : value.dump();
  const std::size_t found = index_of(items, name);
  if (found != items.size()) return static_cast<std::uint16_t>(found);
  return fail(fmt::format("no {} '{}'; this appliance has: {}", field, name, known_names(items)));
}

Result<void> read_limits(const json& object, CaptureRequest& into) {
  if (is_there(object, "clear")) {
    if (!object["clear"].is_boolean()) return fail("clear: expected true or false");
    into.start.clear = object["clear"].get<bool>();
  }
  if (is_there(object, "snaplen")) {
    const auto number = read_number(object, "snaplen");
    if (!number) return std::unexpected(number.error());
    into.start.snaplen = static_cast<std::uint32_t>(std::min<std::uint64_t>(*number, UINT16_MAX));
  }
  if (is_there(object, "count")) {
    const auto number = read_number(object, "count");
    if (!number) return std::unexpected(number.error());
    into.count = *number;
  }
  if (is_there(object, "milliseconds")) {
    const auto number = read_number(object, "milliseconds");
    if (!number) return std::unexpected(number.error());
    const auto longest = static_cast<std::uint64_t>(into.span.count());
    into.span = std::chrono::milliseconds(std::min(*number, longest));
  }
  return {};
}

Result<void> read_names(const json& object, const Spec& spec, CaptureStart& into) {
  if (is_there(object, "stream")) {
    const auto stream = read_name(object, "stream", spec.streams);
    if (!stream) return std::unexpected(stream.error());
    into.stream = *stream;
  }
  if (is_there(object, "port")) {
    const auto port = read_name(object, "port", spec.ports);
    if (!port) return std::unexpected(port.error());
    into.port = *port;
  }
  const bool rx = (into.stages >> static_cast<unsigned>(CaptureStage::Rx) & 1) != 0;
  if (rx && into.stream != CaptureStart::kAny) {
    return fail("at rx a packet is of no stream yet: use --stage classify, or --port");
  }
  return {};
}

}  // namespace

Result<CaptureRequest> read_capture_request(const json& object, const Spec& spec) {
  if (!object.is_object()) return fail(R"(expected {"capture": {"stages": [...]}})");
  for (const auto& [field, value] : object.items()) {
    if (std::ranges::find(kFields, field) == kFields.end()) {
      return fail(fmt::format("capture has no '{}'; it has: {}", field, fmt::join(kFields, ", ")));
    }
  }
  CaptureRequest request;
  const auto stages = read_stages(object);
  if (!stages) return std::unexpected(stages.error());
  request.start.stages = *stages;
  if (auto ok = read_names(object, spec, request.start); !ok) return std::unexpected(ok.error());
  if (auto ok = read_limits(object, request); !ok) return std::unexpected(ok.error());
  return request;
}

}  // namespace castgate
