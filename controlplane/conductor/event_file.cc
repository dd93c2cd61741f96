// SPDX-License-Identifier: Apache-2.0
#include "controlplane/conductor/event_file.h"

#include <cerrno>
#include <climits>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace castgate {
namespace {

constexpr mode_t kMode = 0640;
constexpr unsigned kWritesPerFlush = 128;  // of 4 KiB

std::string reason() {
  return std::generic_category().message(errno);
}

Result<UniqueFd> open_for_appending(const std::string& path) {
  // A journal's stderr is a socket, which cannot be opened by name.
  UniqueFd file(
      path == "/dev/stderr"
          ? ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
          : ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, kMode));
  if (file) return file;
  if (errno == ENXIO) return fail(fmt::format("event_log {}: nobody reads this FIFO", path));
  return fail(fmt::format("event_log {}: {}; name another file", path, reason()));
}

}  // namespace

Result<EventFile> EventFile::open(const std::string& path) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // a reader that goes is an error of write()
  auto file = open_for_appending(path);
  if (!file) return std::unexpected(file.error());
  return EventFile(path, *std::move(file));
}

Result<void> EventFile::reopen() {
  flush();
  auto file = open_for_appending(path_);
  if (!file) return std::unexpected(file.error());
  file_ = *std::move(file);
  return {};
}

bool EventFile::write(std::string_view line) {
  if (kept_.size() + line.size() > kMostKept) return false;
  kept_ += line;
  return true;
}

void EventFile::flush() {
  for (unsigned i = 0; i < kWritesPerFlush && written_ < kept_.size(); ++i)
    if (!flush_some()) break;
  if (written_ < kMostKept / 2 && written_ < kept_.size()) return;
  kept_.erase(0, written_);
  written_ = 0;
}

void EventFile::finish() {
  while (written_ < kept_.size() && flush_some()) {
  }
}

// Whole lines, as many as a pipe takes at once: nothing of ours is torn by who else writes there.
bool EventFile::flush_some() {
  pollfd ready{file_.get(), POLLOUT, 0};
  if (::poll(&ready, 1, 0) != 1) return false;
  const std::string_view rest = std::string_view(kept_).substr(written_);
  const std::size_t end = rest.substr(0, PIPE_BUF).rfind('\n');
  const std::size_t size = end == std::string_view::npos ? rest.size() : end + 1;
  const ssize_t done = ::write(file_.get(), rest.data(), size);
  if (done <= 0) {
    if (done < 0 && errno != EAGAIN && errno != EINTR) fault_ = reason();
    return false;
  }
  written_ += static_cast<std::size_t>(done);
  fault_.clear();
  return true;
}

}  // namespace castgate
