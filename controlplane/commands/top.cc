// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "controlplane/commands/commands.h"
#include "controlplane/conductor/control_client.h"
#include "controlplane/report/rates.h"
#include "controlplane/report/snapshot_json.h"
#include "controlplane/report/status_text.h"

namespace castgate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kRefresh{1};

struct Sample {
  Clock::time_point at;
  std::string headline;
  Snapshot snapshot;
};

Result<Sample> take_sample(const std::string& socket) {
  const auto reply = ask_castgate(socket, {{"show", "all"}});
  if (!reply) return std::unexpected(reply.error());
  auto snapshot = snapshot_from_json(*reply);
  if (!snapshot) return std::unexpected(snapshot.error());
  return Sample{Clock::now(), status_line(*reply), *std::move(snapshot)};
}

std::string page(const Sample& before, const Sample& after) {
  const Nanoseconds between = after.at - before.at;
  return fmt::format("{}\n\n{}\n{}", after.headline,
                     port_rates_table(before.snapshot, after.snapshot, between).to_string(),
                     stream_rates_table(before.snapshot, after.snapshot, between).to_string());
}

volatile std::sig_atomic_t interrupted = 0;
extern "C" void note_interrupt(int) {
  interrupted = 1;
}

std::string_view first_lines(std::string_view text, unsigned count) {
  std::size_t end = 0;
  for (; count > 0 && end < text.size(); --count) {
    const std::size_t newline = text.find('\n', end);
    end = newline == std::string_view::npos ? text.size() : newline + 1;
  }
  return text.substr(0, end);
}

// The terminal's second screen, keys unbuffered and unechoed; puts back what it found.
class Screen {
 public:
  Screen() {
    if (::tcgetattr(STDIN_FILENO, &before_) == 0) {
      termios raw = before_;
      raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
      restore_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    }
    struct sigaction action{};
    action.sa_handler = note_interrupt;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    fmt::print("\033[?1049h\033[?25l");
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() {
    fmt::print("\033[?25h\033[?1049l");
    std::fflush(stdout);
    if (restore_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

  // As much of `text` as there are rows: the terminal must not scroll.
  static void draw(const std::string& text) {
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2;
    fmt::print("\033[H\033[2J{}\nq quits", first_lines(text, known ? size.ws_row - 2u : 22u));
    std::fflush(stdout);
  }

 private:
  termios before_{};
  bool restore_ = false;
};

// Waits for the next refresh; false where the user wants to go.
bool wait_for_refresh(bool watch_keys) {
  const auto until = Clock::now() + kRefresh;
  while (interrupted == 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return true;
    pollfd keys{watch_keys ? STDIN_FILENO : -1, POLLIN, 0};
    if (::poll(&keys, 1, static_cast<int>(left.count())) <= 0) continue;
    char key = 0;
    if (::read(STDIN_FILENO, &key, 1) <= 0) watch_keys = false;
    if (key == 'q' || key == 'Q') return false;
  }
  return false;
}

Result<void> refresh_until_quit(const std::string& socket, Sample before) {
  const Screen screen;
  Screen::draw(page(before, {before.at + kRefresh, before.headline, before.snapshot}));
  while (wait_for_refresh(true)) {
    auto after = take_sample(socket);
    if (!after) return std::unexpected(after.error());
    Screen::draw(page(before, *after));
    before = *std::move(after);
  }
  return {};
}

Result<void> print_once(const std::string& socket, const Sample& before) {
  if (!wait_for_refresh(false)) return {};
  const auto after = take_sample(socket);
  if (!after) return std::unexpected(after.error());
  fmt::print("{}", page(before, *after));
  return {};
}

}  // namespace

int top_command(const std::string& option) {
  const std::string socket = control_socket_path(option);
  auto first = take_sample(socket);
  if (!first) return complain(first.error().text);
  const bool terminal = ::isatty(STDOUT_FILENO) == 1 && ::isatty(STDIN_FILENO) == 1;
  const auto done =
      terminal ? refresh_until_quit(socket, *std::move(first)) : print_once(socket, *first);
  return done ? kExitOk : complain(done.error().text);
}

}  // namespace castgate
