// SPDX-License-Identifier: Apache-2.0
#include "drivers/stderr_capture.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <sys/mman.h>
#include <unistd.h>

namespace castgate {
namespace {

// The signal handler needs them, so they cannot be members.
int g_kept = -1;      // memory file that stands in for standard error
int g_terminal = -1;  // the real one
bool g_allowed = true;
using Handler = void (*)(int);
Handler g_on_abort = SIG_DFL;

void say_last_words(int signal_number) {
  std::array<char, 4096> buffer{};
  off_t at = 0;
  ssize_t length = 0;
  while ((length = pread(g_kept, buffer.data(), buffer.size(), at)) > 0) {
    if (write(g_terminal, buffer.data(), static_cast<std::size_t>(length)) < 0) break;
    at += length;
  }
  std::signal(signal_number, SIG_DFL);
  raise(signal_number);
}

}  // namespace

StderrCapture::StderrCapture() {
  if (!g_allowed || active()) return;
  mine_ = true;
  std::fflush(stderr);
  g_terminal = dup(STDERR_FILENO);
  g_kept = memfd_create("stderr", MFD_CLOEXEC);
  dup2(g_kept, STDERR_FILENO);
  g_on_abort = std::signal(SIGABRT, say_last_words);
}

StderrCapture::~StderrCapture() {
  if (!mine_) return;
  std::fflush(stderr);
  std::signal(SIGABRT, g_on_abort);
  dup2(g_terminal, STDERR_FILENO);
  close(g_terminal);
  close(g_kept);
  g_kept = g_terminal = -1;
}

void StderrCapture::allow(bool allowed) noexcept {
  g_allowed = allowed;
}

bool StderrCapture::active() noexcept {
  return g_kept >= 0;
}

std::string StderrCapture::text() const {
  constexpr std::size_t kMost = 65536;
  if (g_kept < 0) return {};
  std::fflush(stderr);
  std::string all(kMost, '\0');
  const ssize_t length = pread(g_kept, all.data(), all.size(), 0);
  all.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return all;
}

std::string StderrCapture::last_line() const {
  std::string all = text();
  while (!all.empty() && all.back() == '\n') all.pop_back();
  const auto newline = all.rfind('\n');
  return newline == std::string::npos ? all : all.substr(newline + 1);
}

}  // namespace castgate
