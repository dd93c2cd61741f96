// SPDX-License-Identifier: Apache-2.0
#include "controlplane/commands/cli.h"

#include <CLI/CLI.hpp>
#include <exception>
#include <fmt/format.h>
#include <functional>

#include "controlplane/clients/client_ranking.h"
#include "controlplane/commands/commands.h"
#include "dataplane/contract/commands.h"

namespace castgate {
namespace {

// Every option of every subcommand, and the one that was chosen.
struct CommandLine {
  CaptureOptions capture;
  CheckOptions check;
  DoctorOptions doctor;
  LegOptions leg;
  ReplayOptions replay;
  ClientOptions join;
  ClientOptions leave;
  RunOptions run;
  ShowOptions show;
  TopOptions top;
  TraceOptions trace;
  bool keys_json = false;
  std::function<int()> chosen;
};

constexpr const char* kSocketHelp =
    "control socket; else $CASTGATE_SOCKET, else appliance.control_socket or its default";

constexpr const char* kByHelp =
    "clients: those with the most first: rate since they joined, drops or packets";

void add_run(CLI::App& app, CommandLine& line) {
  CLI::App& run = *app.add_subcommand("run", "run the appliance that FILE describes");
  run.add_option("FILE", line.run.file, "pipeline, YAML")->required();
  run.add_option("--socket", line.run.socket, kSocketHelp);
  run.callback([&] { line.chosen = [&] { return run_command(line.run); }; });
}

void add_keys(CLI::App& command, std::string& to) {
  command
      .add_option("--keys", to,
                  "where key files are looked for that are no absolute paths; default: beside FILE")
      ->type_name("DIRECTORY");
}

void add_check(CLI::App& app, CommandLine& line) {
  CLI::App& check = *app.add_subcommand("check", "say everything that is wrong with FILE");
  check.add_option("FILE", line.check.file, "pipeline, YAML")->required();
  check.add_flag("--offline", line.check.offline, "leave this host's cores, memory, devices out");
  add_keys(check, line.check.keys);
  check.add_flag("--json", line.check.json, "the same, as JSON");
  check.callback([&] { line.chosen = [&] { return check_command(line.check); }; });
}

void add_doctor(CLI::App& app, CommandLine& line) {
  CLI::App& doctor =
      *app.add_subcommand("doctor", "say what this host lacks, and the commands that mend it");
  doctor.add_option("FILE", line.doctor.file, "a pipeline that is to run here");
  doctor.add_flag("--json", line.doctor.json, "the findings as JSON");
  doctor.callback([&] { line.chosen = [&] { return doctor_command(line.doctor); }; });
}

void add_replay(CLI::App& app, CommandLine& line) {
  CLI::App& replay = *app.add_subcommand("replay", "run captures through FILE, captures out");
  const auto port_option = [&](const char* name, std::vector<std::string>& values,
                               const char* help) {
    return replay.add_option(name, values, help)->type_name("PORT=CAPTURE");
  };
  replay.add_option("FILE", line.replay.file, "pipeline, YAML")->required();
  port_option("--in", line.replay.in, "what a port receives; one capture may feed several ports")
      ->required();
  port_option("--out", line.replay.out, "where to write what a port sends");
  port_option("--expect", line.replay.expect, "what a port should send; exit 1 where it differs");
  replay
      .add_option("--at", line.replay.at,
                  "what `castgate leg` would order so long after the first packet")
      ->type_name("\"TIME leg STREAM LEG ACTION\"");
  replay
      .add_option("--clients", line.replay.clients,
                  "who joins and leaves unicast outputs: lines of "
                  "stream,transport,address,udp_port,join_at,leave_at, and their names first")
      ->type_name("FILE");
  add_keys(replay, line.replay.keys);
  replay.add_option("--capture-stages", line.replay.capture_stages,
                    "write the packets between all stages, as pcapng");
  replay.add_option("--events", line.replay.events, "gaps, epochs and legs' changes, JSON lines")
      ->type_name("FILE");
  replay.add_flag("--expect-times", line.replay.expect_times, "compare times as well");
  replay.add_flag("--json", line.replay.json, "every counter, as JSON");
  replay.callback([&] { line.chosen = [&] { return replay_command(line.replay); }; });
}

void add_show(CLI::App& app, CommandLine& line) {
  CLI::App& show = *app.add_subcommand("show", "counters and alarms of the running appliance");
  show.add_option("WHAT", line.show.what,
                  "streams, legs, clients, doors, skew, ports, workers, alarms, or metrics for "
                  "Prometheus; all counters without it")
      ->check(CLI::IsMember({"streams", "legs", "clients", "doors", "skew", "ports", "workers",
                             "alarms", "metrics"}));
  show.add_flag("--all", line.show.all, "alarms: the cleared ones too");
  show.add_option("--top", line.show.top, "clients: so many of them")->check(CLI::PositiveNumber);
  show.add_option("--by", line.show.by, kByHelp)->check(CLI::IsMember(kClientRankNames));
  show.add_option("--socket", line.show.socket, kSocketHelp);
  show.add_flag("--json", line.show.json, "every counter, as JSON");
  show.callback([&] { line.chosen = [&] { return show_command(line.show); }; });
}

void add_top(CLI::App& app, CommandLine& line) {
  CLI::App& top = *app.add_subcommand("top", "rates of the running appliance, every second");
  top.add_option("--view", line.top.view, "streams, or clients; keys switch on a terminal")
      ->check(CLI::IsMember({"streams", "clients"}));
  top.add_option("--by", line.top.by, kByHelp)->check(CLI::IsMember(kClientRankNames));
  top.add_option("--socket", line.top.socket, kSocketHelp);
  top.callback([&] { line.chosen = [&] { return top_command(line.top); }; });
}

void add_capture(CLI::App& app, CommandLine& line) {
  CLI::App& capture = *app.add_subcommand("capture", "packets of the running appliance, as pcapng");
  CaptureOptions& to = line.capture;
  capture.add_option("--stage", to.stages, "where; several with commas or one by one")
      ->required()
      ->delimiter(',')
      ->check(CLI::IsMember(kCaptureStageNames));
  capture.add_option("--stream", to.stream, "of this stream only");
  capture.add_option("--port", to.port, "received or sent by this port only");
  capture.add_option("--count", to.count, "end after so many packets")->check(CLI::PositiveNumber);
  capture.add_option("--seconds", to.seconds, "end after this time")->check(CLI::PositiveNumber);
  capture.add_flag("--clear", to.clear,
                   "payloads of sealed streams as well, before they are sealed or once they are "
                   "open; the log tells of it");
  capture.add_option("--snaplen", to.snaplen, "keep so many bytes of each packet")
      ->check(CLI::PositiveNumber);
  capture.add_option("-o,--out", to.out, "file to write; - for standard output")->required();
  capture.add_option("--socket", to.socket, kSocketHelp);
  capture.callback([&] { line.chosen = [&] { return capture_command(line.capture); }; });
}

void add_trace(CLI::App& app, CommandLine& line) {
  CLI::App& trace = *app.add_subcommand(
      "trace", "what happened to one packet of a replay, and which line of FILE made it so");
  trace.add_option("FILE", line.trace.file, "pipeline, YAML")->required();
  trace.add_option("--in", line.trace.in, "what a port receives, as for replay")
      ->required()
      ->type_name("PORT=CAPTURE");
  trace.add_option("--packet", line.trace.packet, "its number in the capture; the first is 1")
      ->required();
  trace.add_option("--port", line.trace.port, "of which port's capture; else of the first --in");
  add_keys(trace, line.trace.keys);
  trace.add_flag("--json", line.trace.json, "the same, as JSON");
  trace.callback([&] { line.chosen = [&] { return trace_command(line.trace); }; });
}

void add_client(CLI::App& app, CommandLine& line, bool leaves) {
  CLI::App& command = leaves ? *app.add_subcommand("leave", "a client gets no more of a stream")
                             : *app.add_subcommand("join", "a client gets a stream as unicast");
  ClientOptions& client = leaves ? line.leave : line.join;
  client.leaves = leaves;
  command.add_option("STREAM", client.stream, "as in the file; STREAM.OUTPUT where it has several")
      ->required();
  command.add_option("CLIENT", client.client, "ADDRESS:PORT, or [ADDRESS]:PORT")->required();
  command.add_option("--socket", client.socket, kSocketHelp);
  command.add_flag("--json", client.json, "the client with its counters, as JSON");
  command.callback([&] { line.chosen = [&] { return client_command(client); }; });
}

void add_leg(CLI::App& app, CommandLine& line) {
  CLI::App& leg = *app.add_subcommand("leg", "order the running appliance to use a leg, or not to");
  leg.add_option("STREAM", line.leg.stream, "as the file names it")->required();
  leg.add_option("LEG", line.leg.leg, "as the file names it")->required();
  leg.add_option("ACTION", line.leg.action,
                 "lockout: never use it; forced: use it whatever its state; manual: use it while "
                 "it is good; clear: none of these")
      ->required()
      ->check(CLI::IsMember(kLegActionNames));
  leg.add_option("--socket", line.leg.socket, kSocketHelp);
  leg.add_flag("--json", line.leg.json, "the answer as JSON");
  leg.callback([&] { line.chosen = [&] { return leg_command(line.leg); }; });
}

void add_keys(CLI::App& app, CommandLine& line) {
  CLI::App& keys = *app.add_subcommand("keys", "every YAML key: unit, range, default, meaning");
  keys.add_flag("--json", line.keys_json, "the same, as JSON");
  keys.callback([&] { line.chosen = [&] { return keys_command(line.keys_json); }; });
}

}  // namespace

int run_cli(int argc, const char* const* argv) try {
  CLI::App app("castgate: redundant multicast feeds in, one unbroken stream out");
  app.set_version_flag("--version", "castgate " CASTGATE_VERSION);
  app.require_subcommand(1);
  CommandLine line;
  add_run(app, line);
  add_check(app, line);
  add_doctor(app, line);
  add_replay(app, line);
  add_show(app, line);
  add_top(app, line);
  add_leg(app, line);
  add_client(app, line, false);
  add_client(app, line, true);
  add_capture(app, line);
  add_trace(app, line);
  add_keys(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return complain(fmt::format("{}; castgate --help shows the usage", error.what()));
  }
  return line.chosen();
} catch (const std::exception& error) {
  return complain(fmt::format("internal error: {}", error.what()));
}

}  // namespace castgate
