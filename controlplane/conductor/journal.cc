// SPDX-License-Identifier: Apache-2.0
#include "controlplane/conductor/journal.h"

#include <spdlog/spdlog.h>

#include "controlplane/report/event_lines.h"

namespace castgate {
namespace {

void log(const std::vector<LogLine>& lines) {
  for (const LogLine& line : lines) {
    const auto level = line.level == LogLevel::Error     ? spdlog::level::err
                       : line.level == LogLevel::Warning ? spdlog::level::warn
                                                         : spdlog::level::info;
    spdlog::log(level, "{}", line.text);
  }
}

}  // namespace

Result<void> Journal::open() {
  if (spec_.appliance.event_log.empty()) return {};
  auto file = EventFile::open(spec_.appliance.event_log);
  if (!file) return std::unexpected(file.error());
  file_ = *std::move(file);
  return {};
}

void Journal::reopen() {
  if (!file_) return;
  if (auto done = file_->reopen(); !done)
    spdlog::error("{}; the old one goes on", done.error().text);
}

void Journal::write(const std::string& line, Instant wall) {
  if (!file_) return;
  if (untold_ != 0 && file_->write(lost_line(untold_, wall))) untold_ = 0;
  if (untold_ == 0 && file_->write(line)) return;
  ++untold_;
  ++lost_;
}

void Journal::note(const Event& event, Instant wall) {
  log(log_.note(event));
  if (file_) write(event_line(spec_, event, wall), wall);
}

void Journal::note(const AlarmChange& change, Instant wall) {
  log(log_.note(change));
  if (file_) write(alarm_line(change, wall), wall);
}

void Journal::note(const ClientGone& client, Instant wall) {
  if (file_) write(client_line(client, wall), wall);
}

void Journal::miss(std::uint64_t count, Instant wall) {
  lost_ += count;
  spdlog::warn("{} events found their ring full and are lost", count);
  if (file_ && !file_->write(lost_line(count, wall))) untold_ += count;
}

void Journal::flush() {
  if (file_) file_->flush();
}

void Journal::turn() {
  log(log_.turn());
}

void Journal::finish() {
  turn();
  if (file_) file_->finish();
}

std::string Journal::fault() const {
  return file_ ? file_->fault() : "";
}

}  // namespace castgate
