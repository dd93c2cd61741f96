// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/status_text.h"

#include <fmt/format.h>

#include "controlplane/report/alarm_report.h"
#include "controlplane/report/client_report.h"
#include "controlplane/report/skew_report.h"
#include "controlplane/report/snapshot_json.h"
#include "controlplane/report/snapshot_tables.h"

namespace castgate {
namespace {

std::string uptime_text(double seconds) {
  const auto all = static_cast<std::uint64_t>(seconds);
  const std::uint64_t days = all / 86400;
  return fmt::format("{}{:02}:{:02}:{:02}", days == 0 ? "" : fmt::format("{} d ", days),
                     all / 3600 % 24, all / 60 % 60, all % 60);
}

void append(std::string& out, const Table& table) {
  if (table.empty()) return;
  if (!out.empty()) out += '\n';
  out += table.to_string();
}

}  // namespace

std::string status_line(const nlohmann::json& reply) {
  return fmt::format("{}, up {}, {}", reply.value("appliance", ""),
                     uptime_text(reply.value("uptime_seconds", 0.0)),
                     alarms_headline(reply.value("alarms", nlohmann::json::array())));
}

std::string all_tables(const Snapshot& snapshot) {
  std::string out;
  append(out, legs_table(snapshot));
  append(out, streams_table(snapshot));
  append(out, losses_table(snapshot));
  append(out, outputs_table(snapshot));
  append(out, ports_table(snapshot));
  append(out, workers_table(snapshot));
  append(out, drops_table(snapshot.drops));
  return out + '\n' + ledger_line(snapshot.ledger) + '\n';
}

Result<std::string> status_text(const nlohmann::json& reply, std::string_view what) {
  if (what == "alarms") return alarms_text(reply);
  if (what == "clients") return clients_text(reply);
  if (what == "doors") return doors_text(reply);
  if (what == "metrics") return reply.value("metrics", "");
  const auto snapshot = snapshot_from_json(reply);
  if (!snapshot) return std::unexpected(snapshot.error());
  if (what == "all") return status_line(reply) + "\n\n" + all_tables(*snapshot);
  std::string out;
  if (what == "legs") append(out, legs_table(*snapshot));
  if (what == "streams") {
    append(out, streams_table(*snapshot));
    append(out, losses_table(*snapshot));
    append(out, outputs_table(*snapshot));
  }
  if (what == "skew") append(out, skew_table(*snapshot));
  if (what == "ports") {
    append(out, ports_table(*snapshot));
    append(out, drops_table(snapshot->drops));
  }
  if (what == "workers") append(out, workers_table(*snapshot));
  return out;
}

}  // namespace castgate
