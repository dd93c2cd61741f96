// SPDX-License-Identifier: Apache-2.0
#include "controlplane/conductor/control_orders.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "controlplane/conductor/known_names.h"

namespace castgate {
namespace {

using nlohmann::json;

constexpr std::string_view kExpectedLeg =
    R"(expected {"leg": {"stream": S, "leg": L, "action": A}}, )"
    "A one of lockout, forced, manual, clear";

std::string line(const json& reply) {
  return reply.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

Result<Command> read_leg(const json& order, const Spec& spec) {
  constexpr std::array<const char*, 3> kFields{"stream", "leg", "action"};
  const auto is_text = [&](const char* field) {
    const auto found = order.find(field);
    return found != order.end() && found->is_string();
  };
  if (!order.is_object() || order.size() != 3 || !std::ranges::all_of(kFields, is_text)) {
    return fail(std::string(kExpectedLeg));
  }
  return make_leg_command(spec, order["stream"], order["leg"], order["action"]);
}

}  // namespace

Result<Command> make_leg_command(const Spec& spec, const std::string& stream_name,
                                 const std::string& leg_name, const std::string& action_name) {
  const std::size_t stream = index_of(spec.streams, stream_name);
  if (stream == spec.streams.size()) {
    return fail(fmt::format("no stream '{}'; this appliance has: {}", stream_name,
                            known_names(spec.streams)));
  }
  const auto& legs = spec.streams[stream].legs;
  const std::size_t leg = index_of(legs, leg_name);
  if (leg == legs.size()) {
    return fail(fmt::format("stream {} has no leg '{}'; it has: {}", stream_name, leg_name,
                            known_names(legs)));
  }
  const auto* action = std::ranges::find(kLegActionNames, action_name);
  if (action == kLegActionNames.end()) {
    return fail(fmt::format("no action '{}'; there are: {}", action_name,
                            fmt::join(kLegActionNames, ", ")));
  }
  Command command;
  command.kind = CommandKind::Leg;
  command.leg = {static_cast<std::uint16_t>(stream), static_cast<std::uint8_t>(leg),
                 static_cast<LegAction>(action - kLegActionNames.begin())};
  return command;
}

std::optional<std::string> answer_order(std::string_view request, const Spec& spec,
                                        const std::function<bool(const Command&)>& send) {
  const json parsed = json::parse(request, nullptr, false);
  if (!parsed.is_object() || parsed.size() != 1) return std::nullopt;
  const auto order = parsed.find("leg");
  if (order == parsed.end()) return std::nullopt;
  const auto command = read_leg(*order, spec);
  if (!command) return line({{"error", command.error().text}});
  if (!send(*command)) {
    return line({{"error",
                  "the worker of this stream takes no orders now; see castgate show "
                  "workers, and try again"}});
  }
  return line(*order);
}

}  // namespace castgate
