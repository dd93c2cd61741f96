// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/alarm_report.h"

#include <algorithm>
#include <fmt/format.h>

#include "controlplane/report/wall_time.h"

namespace castgate {
namespace {

using nlohmann::json;

constexpr std::size_t kToTheSecond = 19;  // characters of a wall time

std::string when(const json& alarm, const char* key) {
  const auto found = alarm.find(key);
  const std::string time =
      found != alarm.end() && found->is_string() ? found->get<std::string>() : "";
  return time.empty() ? "-" : time.substr(0, kToTheSecond) + 'Z';
}

std::string where(const json& alarm) {
  std::string text;
  for (const char* part : {"stream", "leg", "port"})
    if (alarm.contains(part)) text += (text.empty() ? "" : "/") + alarm.value(part, "");
  if (alarm.contains("core")) text = fmt::format("core {}", alarm.value("core", 0u));
  return text.empty() ? "-" : text;
}

void add_rows(Table& table, const json& alarms, bool with_cleared) {
  for (const json& alarm : alarms) {
    std::vector<std::string> row{alarm.value("severity", ""), alarm.value("alarm", ""),
                                 where(alarm), when(alarm, "raised")};
    if (with_cleared) row.push_back(when(alarm, "cleared"));
    row.push_back(fmt::to_string(alarm.value("times", 1u)));
    row.push_back(alarm.value("text", ""));
    table.add_row(std::move(row));
  }
}

}  // namespace

void put_subject(nlohmann::ordered_json& out, const Alarm& alarm) {
  const AlarmKey& key = alarm.key;
  out["id"] = key.id();
  out["alarm"] = info_of(key.kind).name;
  out["severity"] = kAlarmSeverityNames[static_cast<std::size_t>(alarm.severity())];
  if (!key.of.stream.empty()) out["stream"] = key.of.stream;
  if (!key.of.leg.empty()) out["leg"] = key.of.leg;
  if (!key.of.port.empty()) out["port"] = key.of.port;
  if (key.of.core) out["core"] = *key.of.core;
}

json to_json(const Alarm& alarm, Nanoseconds to_wall) {
  nlohmann::ordered_json out;
  put_subject(out, alarm);
  out["raised"] = wall_time(alarm.raised + to_wall);
  out["cleared"] = nullptr;
  if (alarm.cleared) out["cleared"] = wall_time(*alarm.cleared + to_wall);
  out["times"] = alarm.times;
  out["text"] = alarm.text;
  return json(out);
}

std::string alarms_text(const json& reply) {
  const bool all = reply.contains("cleared");
  const json standing = reply.value("alarms", json::array());
  const json cleared = reply.value("cleared", json::array());
  if (standing.empty() && cleared.empty()) return "no alarms\n";
  std::vector<Column> columns{{"severity", Align::Left},
                              {"alarm", Align::Left},
                              {"where", Align::Left},
                              {"raised", Align::Left},
                              {"times"},
                              {"text", Align::Left}};
  if (all) columns.insert(columns.end() - 2, {"cleared", Align::Left});
  Table table(columns);
  add_rows(table, standing, all);
  add_rows(table, cleared, all);
  return table.to_string();
}

std::string alarms_headline(const json& alarms) {
  if (alarms.empty()) return "no alarms";
  std::string counts;
  for (const std::string_view severity : kAlarmSeverityNames) {
    const auto count = std::ranges::count_if(
        alarms, [&](const json& alarm) { return alarm.value("severity", "") == severity; });
    if (count != 0) counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", count, severity);
  }
  return fmt::format("{} alarm{} ({}): castgate show alarms", alarms.size(),
                     alarms.size() == 1 ? "" : "s", counts);
}

}  // namespace castgate
