// SPDX-License-Identifier: Apache-2.0
#include "pipelines/complaints.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace castgate {

std::string printable(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

std::string Complaint::to_string() const {
  return fmt::format("{}:{}:{}: {}{}{}{}", file, place.line, place.column,
                     severity == Severity::Warning ? "warning: " : "", key, key.empty() ? "" : ": ",
                     what);
}

void Complaints::error(Place place, std::string key, std::string what) {
  if (errors_.size() == kLimit) {
    ++more_errors_;
    return;
  }
  errors_.push_back({Severity::Error, file_, place, std::move(key), std::move(what)});
}

void Complaints::warn(Place place, std::string key, std::string what) {
  if (warnings_.size() == kLimit) {
    ++more_warnings_;
    return;
  }
  warnings_.push_back({Severity::Warning, file_, place, std::move(key), std::move(what)});
}

std::vector<Complaint> Complaints::sorted(std::vector<Complaint> all, std::size_t more) {
  std::ranges::stable_sort(all, {}, &Complaint::place);
  if (more > 0) {
    Complaint last = all.back();
    last.key.clear();
    last.what = fmt::format("and {} more", more);
    all.push_back(std::move(last));
  }
  return all;
}

bool Places::good(const std::string& path) const {
  const auto found = all_.find(path);
  return found != all_.end() && found->second.good;
}

bool Places::bad(const std::string& path) const {
  const auto found = all_.find(path);
  return found != all_.end() && !found->second.good;
}

Place Places::find(std::string path) const {
  for (;;) {
    if (const auto found = all_.find(path); found != all_.end()) return found->second.place;
    const auto end = path.find_last_of(".[");
    if (end == std::string::npos) return {};
    path.resize(end);
  }
}

std::string path_step(std::string_view name) {
  std::string step = printable(name.substr(0, 64));
  const bool plain = !step.empty() && step.find_first_of(".[' ") == std::string::npos;
  return plain ? step : "'" + step + "'";
}

std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 60;
  const bool cut = text.size() > kMost;
  return fmt::format("'{}{}'", printable(text.substr(0, kMost)), cut ? "..." : "");
}

}  // namespace castgate
