// SPDX-License-Identifier: Apache-2.0
#include "drivers/eal.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <sched.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "dataplane/base/device_string.h"
#include "drivers/host_checks.h"
#include "drivers/stderr_capture.h"

namespace castgate {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1ull << 20;

enum class State : std::uint8_t { New, Running, Over };
State g_state = State::New;
std::string g_runtime_dir;  // removed by stop_eal
bool g_verbose = false;

// NOLINTBEGIN(concurrency-mt-unsafe): the environment, before there is a second thread.
// EAL keeps its runtime files below XDG_RUNTIME_DIR, or in one directory for all, which the first
// user of the machine owns. Whoever is not root gets a directory of their own while EAL starts.
class PrivateRuntimeDir {
 public:
  PrivateRuntimeDir() {
    if (getuid() == 0) return;  // EAL takes /var/run/dpdk then, whatever the environment says
    if (const char* before = std::getenv("XDG_RUNTIME_DIR")) before_ = before;
    std::string base = before_.value_or("");
    if (base.empty() || access(base.c_str(), W_OK) != 0) base = fs::temp_directory_path();
    path_ = base + "/castgate-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
    if (!path_.empty()) setenv("XDG_RUNTIME_DIR", path_.c_str(), 1);
  }
  PrivateRuntimeDir(const PrivateRuntimeDir&) = delete;
  PrivateRuntimeDir& operator=(const PrivateRuntimeDir&) = delete;
  ~PrivateRuntimeDir() {
    if (path_.empty()) return;
    if (before_) {
      setenv("XDG_RUNTIME_DIR", before_->c_str(), 1);
    } else {
      unsetenv("XDG_RUNTIME_DIR");
    }
  }
  const std::string& path() const { return path_; }

 private:
  std::optional<std::string> before_;
  std::string path_;
};
// NOLINTEND(concurrency-mt-unsafe)

// DPDK's log: to standard error where somebody asked for it or keeps it, else nowhere.
ssize_t write_log(void* /*cookie*/, const char* text, std::size_t length) {
  const auto all = static_cast<ssize_t>(length);
  return g_verbose || StderrCapture::active() ? write(STDERR_FILENO, text, length) : all;
}

void take_over_log(bool verbose) {
  g_verbose = verbose;
  StderrCapture::allow(!verbose);
  cookie_io_functions_t functions{};
  functions.write = write_log;
  std::FILE* log = fopencookie(nullptr, "w", functions);
  if (log == nullptr) return;
  std::setvbuf(log, nullptr, _IOLBF, 0);
  rte_openlog_stream(log);
}

void remove_runtime_dir() {
  std::error_code none;
  if (!g_runtime_dir.empty()) fs::remove_all(g_runtime_dir, none);
  g_runtime_dir.clear();
}

unsigned first_allowed_core() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  unsigned core = 0;
  while (core + 1 < CPU_SETSIZE && !CPU_ISSET(core, &allowed)) ++core;
  return core;
}

std::string lcores(const EalOptions& options) {
  if (options.mode == EalOptions::Mode::Quiet) return fmt::format("0@{}", first_allowed_core());
  std::string text = fmt::format("0@{}", options.control_core);
  for (unsigned i = 0; i < options.worker_cores.size(); ++i) {
    text += fmt::format(",{}@{}", worker_lcore(i), options.worker_cores[i]);
  }
  return text;
}

std::vector<std::string> arguments(const EalOptions& options) {
  std::vector<std::string> args{"castgate", "--no-telemetry", "--lcores=" + lcores(options),
                                "--main-lcore=0",
                                fmt::format("--file-prefix=castgate-{}", getpid())};
  if (!options.verbose) args.emplace_back("--log-level=error");
  if (options.hugepages_bytes == 0) {
    args.insert(args.end(), {"--no-huge", "--no-shconf",
                             fmt::format("-m{}", (options.memory_bytes + kMiB - 1) / kMiB)});
  } else {
    args.insert(args.end(),
                {"--in-memory", fmt::format("-m{}", (options.hugepages_bytes + kMiB - 1) / kMiB)});
  }
  bool pci = false;
  for (const auto& device : options.devices) {
    if (!is_pci_address(device)) continue;
    args.push_back("--allow=" + device);
    pci = true;
  }
  if (!pci) args.insert(args.end(), {"--no-pci", "--iova-mode=va"});
  return args;
}

Result<void> check_host(const EalOptions& options) {
  if (options.mode == EalOptions::Mode::Live) {
    if (auto good = check_core(options.control_core); !good) return good;
    for (const unsigned core : options.worker_cores) {
      if (auto good = check_core(core); !good) return good;
    }
  }
  if (options.hugepages_bytes == 0) return {};
  return check_hugepages(options.hugepages_bytes);
}

}  // namespace

Result<void> start_eal(const EalOptions& options) {
  if (g_state != State::New) {
    return fail("DPDK was started in this process before and cannot be started twice");
  }
  if (auto good = check_host(options); !good) return good;
  const PrivateRuntimeDir runtime_dir;
  std::vector<std::string> args = arguments(options);
  std::vector<char*> argv;
  argv.reserve(args.size());
  for (auto& arg : args) argv.push_back(arg.data());
  cpu_set_t affinity;
  CPU_ZERO(&affinity);
  sched_getaffinity(0, sizeof affinity, &affinity);

  take_over_log(options.verbose);
  const StderrCapture captured;
  g_state = State::Over;
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
    const std::string said = captured.last_line();
    return fail(
        fmt::format("DPDK does not start: {}", said.empty() ? rte_strerror(rte_errno) : said));
  }
  g_state = State::Running;
  g_runtime_dir = runtime_dir.path().empty() ? rte_eal_get_runtime_dir() : runtime_dir.path();
  std::atexit(remove_runtime_dir);  // for whoever leaves without stop_eal
  // EAL pinned this thread; a replay's is the user's own and may run anywhere.
  if (options.mode == EalOptions::Mode::Quiet) sched_setaffinity(0, sizeof affinity, &affinity);
  return {};
}

void stop_eal() {
  if (g_state != State::Running) return;
  rte_eal_cleanup();
  g_state = State::Over;
  remove_runtime_dir();
}

}  // namespace castgate
