// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/event_lines.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controlplane/report/alarm_report.h"
#include "controlplane/report/wall_time.h"

namespace castgate {
namespace {

// Names of streams and legs are letters, digits, _ . and -: nothing to escape. Written by hand
// since a burst of loss is very many lines.
std::string legs_of(const StreamSpec& stream, unsigned mask) {
  std::string names;
  for (std::size_t leg = 0; leg < stream.legs.size(); ++leg)
    if ((mask >> leg & 1) != 0)
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ",", stream.legs[leg].name);
  return names;
}

std::string details(const StreamSpec& stream, const Event& event) {
  if (event.kind == EventKind::EpochChange) return "";
  if (event.kind == EventKind::Gap)
    return fmt::format(R"(,"from":{},"to":{},"reason":"{}","legs":[{}])", event.from, event.to,
                       kGapReasonNames[static_cast<std::size_t>(event.reason)],
                       legs_of(stream, event.legs));
  const std::string leg =
      event.leg < stream.legs.size() ? stream.legs[event.leg].name : fmt::to_string(event.leg);
  if (event.kind == EventKind::OffsetLocked)
    return fmt::format(R"(,"leg":"{}","offset":{})", leg, event.offset);
  return fmt::format(R"(,"leg":"{}")", leg);
}

}  // namespace

std::string event_line(const Spec& spec, const Event& event, Instant wall) {
  if (event.stream >= spec.streams.size() || spec.streams[event.stream].is_vacant()) return {};
  const StreamSpec& stream = spec.streams[event.stream];
  return fmt::format("{{\"at\":\"{}\",\"event\":\"{}\",\"stream\":\"{}\",\"epoch\":{}{}}}\n",
                     wall_time(wall), name_of(event.kind), stream.name, event.epoch,
                     details(stream, event));
}

std::string client_line(const ClientGone& client, Instant wall) {
  return fmt::format(
      "{{\"at\":\"{}\",\"event\":\"client_gone\",\"stream\":\"{}\",\"output\":\"{}\","
      "\"address\":\"{}\",\"id\":\"{}\",\"door\":\"{}\",\"reason\":\"{}\"}}\n",
      wall_time(wall), client.name.stream, client.name.output, client.address.to_string(),
      client.id.to_string(), client.door, client.reason);
}

std::string alarm_line(const Alarm& alarm, Instant wall) {
  nlohmann::ordered_json line{{"at", wall_time(wall)},
                              {"event", alarm.cleared ? "alarm_cleared" : "alarm_raised"}};
  put_subject(line, alarm);
  line["text"] = alarm.text;
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

std::string lost_line(std::uint64_t count, Instant wall) {
  return fmt::format("{{\"at\":\"{}\",\"event\":\"events_lost\",\"count\":{}}}\n", wall_time(wall),
                     count);
}

}  // namespace castgate
