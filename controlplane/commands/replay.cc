// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>
#include <utility>

#include "controlplane/capture/stage_capture.h"
#include "controlplane/commands/byte_file.h"
#include "controlplane/commands/commands.h"
#include "controlplane/commands/load_file.h"
#include "controlplane/commands/replay_plan.h"
#include "controlplane/report/client_report.h"
#include "controlplane/report/event_lines.h"
#include "controlplane/report/replay_report.h"
#include "controlplane/report/tell.h"
#include "dataplane/base/capture/compare.h"

namespace castgate {
namespace {

namespace fs = std::filesystem;

// A directory of this process's own, gone with it.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> create() {
    std::string path = fs::temp_directory_path() / "castgate-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr)
      return fail(fmt::format("cannot create {}: set TMPDIR to a directory with room", path));
    return TemporaryDirectory(path);
  }
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory() {
    std::error_code none;
    if (!path_.empty()) fs::remove_all(path_, none);
  }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
  fs::path path_;
};

// A line that grows on a terminal while a long replay runs.
class Progress {
 public:
  void operator()(std::uint64_t packets) {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(200)) return;
    last_ = now;
    shown_ = true;
    tell("\r{} packets", packets);
  }
  void erase() const {
    if (shown_) tell("\r\033[K");
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  bool shown_ = false;
};

const ReplayFile* find_port(const std::vector<ReplayFile>& files, unsigned port) {
  const auto found = std::ranges::find(files, port, &ReplayFile::port);
  return found == files.end() ? nullptr : &*found;
}

// What flows between the stages, into a file as it comes.
class StageFile {
 public:
  explicit StageFile(const Spec& spec) : capture_(spec, UINT32_MAX) {}

  Result<void> open(const std::string& path) { return file_.open(path); }
  void add(const CapturedPacket& packet) {
    capture_.add(packet);
    file_.write(capture_.take());
  }
  Result<void> close() {
    capture_.finish(0);
    file_.write(capture_.take());
    return file_.close();
  }

 private:
  StageCapture capture_;
  ByteFile file_;
};

Result<ReplayResult> run_plan(const Spec& spec, const ReplayArguments& arguments,
                              std::vector<ReplayFile> out, const std::string& stage_path) {
  Progress progress;
  ReplayPlan plan{.in = arguments.in, .out = std::move(out)};
  plan.commands = arguments.commands;
  plan.clients = arguments.clients;
  StageFile stages(spec);
  if (!stage_path.empty()) {
    if (auto opened = stages.open(stage_path); !opened) return std::unexpected(opened.error());
    plan.capture.stages = kAllCaptureStages;
    plan.captured = [&](const CapturedPacket& packet) { stages.add(packet); };
  }
  if (::isatty(STDERR_FILENO) == 1)
    plan.progress = [&](std::uint64_t packets) { progress(packets); };
  auto result = replay(spec, plan);
  progress.erase();
  if (!stage_path.empty()) {
    if (auto closed = stages.close(); result && !closed) return std::unexpected(closed.error());
  }
  if (result && result->packets_in == 0)
    return fail("no packet was read: the captures given with --in are empty");
  return result;
}

Result<std::vector<Expectation>> compare(const Spec& spec, const ReplayArguments& arguments,
                                         const std::vector<ReplayFile>& out, bool times) {
  std::vector<Expectation> outcomes;
  for (const ReplayFile& expected : arguments.expect) {
    const ReplayFile* actual = find_port(out, expected.port);
    auto difference = compare_captures(expected.path, actual->path, times);
    if (!difference) return std::unexpected(difference.error());
    outcomes.push_back({spec.ports[expected.port].name, expected.path, *std::move(difference)});
  }
  return outcomes;
}

// A capture's clock is the wall's.
Result<void> write_events(const Spec& spec, const std::string& path,
                          const std::vector<Event>& events) {
  if (path.empty()) return {};
  std::ofstream file(path);
  for (const Event& event : events) file << event_line(spec, event, event.at);
  file.close();
  if (!file) return fail(fmt::format("--events {}: cannot be written; name another file", path));
  return {};
}

int report(const ReplayOptions& options, const ReplayResult& result,
           const std::vector<Expectation>& outcomes, const std::vector<NamedClient>& clients) {
  if (options.json) {
    nlohmann::json out = replay_json(result, outcomes);
    if (!options.clients.empty()) out["clients"] = clients_json(clients);
    fmt::print("{}\n", out.dump(2));
  } else {
    if (!options.clients.empty()) fmt::print("{}\n", clients_table(clients).to_string());
    fmt::print("{}", replay_text(result, outcomes));
  }
  return std::ranges::all_of(outcomes, &Expectation::equal) ? kExitOk : kExitDiffers;
}

}  // namespace

int replay_command(const ReplayOptions& options) {
  const Reading reading = load_file(options.file, options.keys);
  if (!reading.good()) return kExitBadInput;
  const Spec& spec = reading.spec;
  const auto arguments = read_replay_arguments(spec, options);
  if (!arguments) return complain(arguments.error().text);

  // What is expected of a port but not kept is written where nobody has to tidy up.
  auto scratch = TemporaryDirectory::create();
  if (!scratch) return complain(scratch.error().text);
  std::vector<ReplayFile> out = arguments->out;
  for (const ReplayFile& expected : arguments->expect)
    if (find_port(out, expected.port) == nullptr)
      out.push_back({expected.port, *scratch / fmt::format("{}.pcap", expected.port)});

  const auto result = run_plan(spec, *arguments, out, options.capture_stages);
  if (!result) return complain(result.error().text);
  if (auto ok = write_events(spec, options.events, result->events); !ok)
    return complain(ok.error().text);
  const auto outcomes = compare(spec, *arguments, out, options.expect_times);
  if (!outcomes) return complain(outcomes.error().text);
  return report(options, *result, *outcomes,
                named_clients(spec, arguments->clients, result->clients));
}

}  // namespace castgate
