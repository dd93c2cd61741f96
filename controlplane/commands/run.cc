// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "controlplane/commands/commands.h"
#include "controlplane/commands/load_file.h"
#include "controlplane/conductor/conductor.h"
#include "controlplane/keys/epoch_ledger.h"
#include "controlplane/keys/number_ledger.h"
#include "controlplane/keys/ssrc_ledger.h"
#include "controlplane/report/status_text.h"
#include "controlplane/report/tell.h"
#include "dataplane/base/protect/secret_memory.h"
#include "dataplane/contract/reload.h"
#include "dataplane/contract/runtime.h"

namespace castgate {
namespace {

void log_to_stderr() {
  auto logger = spdlog::stderr_color_st("castgate");
  // The journal keeps its own time.
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is no second thread yet.
  const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  logger->set_pattern(journal ? "%l: %v" : "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$: %v");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

std::string socket_for(const RunOptions& options, const Spec& spec) {
  if (!options.socket.empty()) return options.socket;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is no second thread yet.
  const char* environment = std::getenv("CASTGATE_SOCKET");
  if (environment != nullptr && *environment != '\0') return environment;
  return spec.appliance.control_socket;
}

void warn_of_keys(const Spec& spec) {
  const auto has_keys = [](const StreamSpec& stream) {
    return is_protected(stream) || is_isolated(stream) || is_opened(stream);
  };
  if (SecretMemory::is_locked() || std::ranges::none_of(spec.streams, has_keys)) return;
  spdlog::warn(
      "keys may be written to the swap: this process may not lock its memory; ulimit -l unlimited, "
      "or LimitMEMLOCK=infinity in its systemd unit");
}

// What is remembered of keys: none ever seals twice with one number.
class KeyLedgers {
 public:
  explicit KeyLedgers(const std::string& state_dir) : epochs_(state_dir), numbers_(state_dir) {}

  void assign(Spec& spec, const Spec* running) {
    epochs_.assign(spec, running);
    assign_ssrcs(spec, running);
    numbers_.assign(spec, running);
  }
  void turn() {
    epochs_.turn();
    numbers_.turn();
  }

 private:
  EpochLedger epochs_;
  NumberLedger numbers_;
};

// SIGHUP: every complaint about the file, and about what only a restart can change.
std::optional<Spec> read_again(const std::string& path, const Spec& running, KeyLedgers& ledgers) {
  Reading reading = load_file(path);
  bool good = reading.good() && host_serves(path, reading);
  for (const std::string& key :
       reading.good() ? restart_keys(running, reading.spec) : std::vector<std::string>{}) {
    const Complaint complaint{
        .severity = Severity::Error,
        .file = path,
        .place = reading.places.find(key),
        .key = key,
        .what = "is not as it was at the start; restart castgate, or put it back as it was"};
    tell("{}\n", complaint.to_string());
    good = false;
  }
  if (!good) {
    spdlog::error("SIGHUP: {} has mistakes; what runs goes on", path);
    return std::nullopt;
  }
  spdlog::info("SIGHUP: {} is good", path);
  ledgers.assign(reading.spec, &running);
  return std::move(reading.spec);
}

}  // namespace

int run_command(const RunOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads the log may go: nothing ends with it
  log_to_stderr();
  Reading reading = load_file(options.file);
  if (!reading.good() || !host_serves(options.file, reading)) return kExitBadInput;
  KeyLedgers ledgers(reading.spec.appliance.state_dir);
  ledgers.assign(reading.spec, nullptr);

  const Spec& spec = reading.spec;
  auto conductor = Conductor::open(spec, socket_for(options, spec));
  if (!conductor) return complain(conductor.error().text);
  auto runtime = start_runtime(spec);
  if (!runtime) return complain(runtime.error().text);
  warn_of_keys(spec);

  const auto again = [&](const Spec& running) {
    return read_again(options.file, running, ledgers);
  };
  const Snapshot last = (*conductor)->run(**runtime, again, [&] { ledgers.turn(); });
  static_cast<void>(std::fputs(all_tables(last).c_str(), stdout));
  return kExitOk;
}

}  // namespace castgate
