// SPDX-License-Identifier: Apache-2.0
#include "controlplane/alarms/alarm_table.h"

#include <algorithm>
#include <utility>

namespace castgate {

void AlarmTable::stands(const AlarmKey& key, std::string text, Instant now) {
  const auto [at, is_new] = rows_.try_emplace(key);
  Row& row = at->second;
  row.alarm.text = std::move(text);
  if (is_new) {
    row.alarm.key = key;
    row.alarm.raised = now;
    changes_.push_back(row.alarm);
  } else if (!row.present) {
    ++row.alarm.times;
  }
  row.present = true;
}

void AlarmTable::gone(const AlarmKey& key, Instant now) {
  if (const auto row = rows_.find(key); row != rows_.end()) leave(row->second, now);
}

void AlarmTable::leave(Row& row, Instant now) {
  if (!row.present) return;
  row.present = false;
  row.gone_at = now;
  due_ = std::min(due_, now + info_of(row.alarm.key.kind).clear_after);
}

void AlarmTable::judge(AlarmKind kind, const std::string& stream, std::span<const Finding> found,
                       Instant now) {
  const auto is_found = [&](const AlarmSubject& of) {
    return std::ranges::find(found, of, &Finding::of) != found.end();
  };
  for (auto row = rows_.lower_bound({kind, {.stream = stream}}); row != rows_.end(); ++row) {
    if (row->first.kind != kind || row->first.of.stream != stream) break;
    if (!is_found(row->first.of)) leave(row->second, now);
  }
  for (const Finding& one : found) stands({kind, one.of}, one.text, now);
}

void AlarmTable::turn(Instant now) {
  if (now < due_) return;
  due_ = kNever;
  for (auto at = rows_.begin(); at != rows_.end();) {
    Row& row = at->second;
    const Instant due = row.gone_at + info_of(at->first.kind).clear_after;
    if (row.present || now < due) {
      if (!row.present) due_ = std::min(due_, due);
      ++at;
      continue;
    }
    at = clear(at, now);
  }
}

AlarmTable::Rows::iterator AlarmTable::clear(Rows::iterator at, Instant now) {
  at->second.alarm.cleared = now;
  changes_.push_back(at->second.alarm);
  past_.push_front(std::move(at->second.alarm));
  if (past_.size() > kMostCleared) past_.pop_back();
  return rows_.erase(at);
}

void AlarmTable::forget(const std::string& stream, const std::string& leg, Instant now) {
  for (auto at = rows_.begin(); at != rows_.end();) {
    const AlarmSubject& of = at->first.of;
    const bool meant = of.stream == stream && (leg.empty() || of.leg == leg);
    at = meant ? clear(at, now) : std::next(at);
  }
}

std::vector<AlarmChange> AlarmTable::take_changes() {
  return std::exchange(changes_, {});
}

std::vector<Alarm> AlarmTable::standing() const {
  std::vector<Alarm> all;
  all.reserve(rows_.size());
  for (const auto& [key, row] : rows_) all.push_back(row.alarm);
  std::ranges::stable_sort(all, {}, &Alarm::severity);
  return all;
}

}  // namespace castgate
