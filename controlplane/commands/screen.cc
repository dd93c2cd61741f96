// SPDX-License-Identifier: Apache-2.0
#include "controlplane/commands/screen.h"

#include <cctype>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <poll.h>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace castgate {
namespace {

constexpr unsigned kUnknownRows = 22;  // of a terminal of 24 that does not say so

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

}  // namespace

Screen::Screen() {
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

Screen::~Screen() {
  fmt::print("\033[?25h\033[?1049l");
  std::fflush(stdout);
  if (restore_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

unsigned Screen::rows() {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2;
  return known ? size.ws_row - 2u : kUnknownRows;
}

void Screen::draw(const std::string& text, const std::string& foot) {
  fmt::print("\033[H\033[2J{}\n{}", first_lines(text, rows()), foot);
  std::fflush(stdout);
}

char wait_for_key(std::chrono::milliseconds span, bool watch_keys) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + span;
  while (interrupted == 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return kNoKey;
    pollfd keys{watch_keys ? STDIN_FILENO : -1, POLLIN, 0};
    if (::poll(&keys, 1, static_cast<int>(left.count())) <= 0) continue;
    char key = 0;
    if (::read(STDIN_FILENO, &key, 1) <= 0) {
      watch_keys = false;
    } else {
      return static_cast<char>(std::tolower(static_cast<unsigned char>(key)));
    }
  }
  return kInterrupted;
}

}  // namespace castgate
