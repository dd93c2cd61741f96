// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controlplane/commands/commands.h"
#include "controlplane/commands/load_file.h"
#include "controlplane/commands/replay_plan.h"
#include "controlplane/report/trace_story.h"

namespace castgate {
namespace {

using nlohmann::json;

// Which of the captures --packet counts in: --port's, else the first.
Result<ReplayFile> find_capture(const Spec& spec, const ReplayArguments& arguments,
                                const std::string& port) {
  if (port.empty()) return arguments.in.front();
  std::string known;
  for (const ReplayFile& file : arguments.in) {
    if (spec.ports[file.port].name == port) return file;
    known += (known.empty() ? "" : ", ") + spec.ports[file.port].name;
  }
  return fail(
      fmt::format("--port {}: no --in gives this port a capture; there are: {}", port, known));
}

std::string place_text(const Reading& reading, const TraceStep& step, const std::string& file) {
  const Place place = reading.places.find(step.key);
  return fmt::format("{}:{}:{}: {}{}", file, place.line, place.column, step.key,
                     reading.places.good(step.key) ? "" : " (its default)");
}

std::string trace_text(const Reading& reading, const TraceOptions& options,
                       const std::vector<TraceStep>& steps) {
  std::string text;
  for (const TraceStep& step : steps) {
    text += fmt::format("{} {:10}  {}\n{:43}{}\n", moment_text(step.at), step.what, step.text, "",
                        place_text(reading, step, options.file));
  }
  return text;
}

json trace_json(const Reading& reading, const TraceOptions& options, const ReplayFile& capture,
                const PacketTrace& trace, const std::vector<TraceStep>& steps) {
  json all = json::array();
  for (const TraceStep& step : steps) {
    const Place place = reading.places.find(step.key);
    all.push_back({{"what", step.what},
                   {"time_ns", step.at.ns},
                   {"text", step.text},
                   {"key", step.key},
                   {"given", reading.places.good(step.key)},
                   {"file", options.file},
                   {"line", place.line},
                   {"column", place.column}});
  }
  json made{{"port", reading.spec.ports[capture.port].name},
            {"capture", capture.path},
            {"packet", options.packet},
            {"steps", std::move(all)}};
  if (trace.dropped) made["dropped"] = name_of(*trace.dropped);
  if (trace.winner) {
    made["winner"] = {{"port", reading.spec.ports[trace.winner->port].name},
                      {"packet", trace.winner->packet}};
  }
  if (trace.released) made["held_ns"] = (*trace.released - trace.arrived).count();
  return made;
}

}  // namespace

int trace_command(const TraceOptions& options) {
  const Reading reading = load_file(options.file, options.keys);
  if (!reading.good()) return kExitBadInput;
  ReplayOptions as_replay;
  as_replay.in = options.in;
  const auto arguments = read_replay_arguments(reading.spec, as_replay);
  if (!arguments) return complain(arguments.error().text);
  const auto capture = find_capture(reading.spec, *arguments, options.port);
  if (!capture) return complain(capture.error().text);

  ReplayPlan plan{.in = arguments->in, .out = {}};
  plan.trace = TraceRequest{capture->port, options.packet};
  const auto result = replay(reading.spec, plan);
  if (!result) return complain(result.error().text);
  const PacketTrace& trace = result->trace;
  if (options.packet == 0 || options.packet > trace.packets) {
    return complain(fmt::format("--packet {}: {} has {} packets, counted from 1", options.packet,
                                capture->path, trace.packets));
  }
  const auto steps = trace_story(reading.spec, capture->port, trace);
  if (options.json)
    fmt::print("{}\n", trace_json(reading, options, *capture, trace, steps).dump(2));
  else
    fmt::print("{}", trace_text(reading, options, steps));
  return kExitOk;
}

}  // namespace castgate
