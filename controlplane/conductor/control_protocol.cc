// SPDX-License-Identifier: Apache-2.0
#include "controlplane/conductor/control_protocol.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "controlplane/admin/metrics.h"
#include "controlplane/report/alarm_report.h"
#include "controlplane/report/skew_report.h"
#include "controlplane/report/snapshot_json.h"

namespace castgate {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 8> kSubjects{"all",   "streams", "legs",   "skew",
                                                    "ports", "workers", "alarms", "metrics"};
constexpr std::string_view kExpected =
    R"(expected {"show": S}, S one of all, streams, legs, skew, ports, workers, alarms, )"
    R"(metrics, or {"leg": …})";
// Replace what is not UTF-8 (a device's name may hold anything) rather than throw.
constexpr auto kReplace = json::error_handler_t::replace;

std::string line(const json& reply) {
  return reply.dump(-1, ' ', false, kReplace) + '\n';
}

std::string refuse(std::string_view why) {
  return line({{"error", why}});
}

json to_array(const std::vector<Alarm>& alarms, Nanoseconds to_wall) {
  json out = json::array();
  for (const Alarm& alarm : alarms) out.push_back(to_json(alarm, to_wall));
  return out;
}

json describe(const Status& status, std::string_view subject) {
  const json all = to_json(status.snapshot);
  json out{{"appliance", status.name},
           {"uptime_seconds", std::chrono::duration<double>(status.uptime).count()},
           {"alarms", to_array(status.alarms, status.to_wall)},
           {"drops", all["drops"]},
           {"ledger", all["ledger"]}};
  const bool everything = subject == "all";
  if (everything || subject == "streams" || subject == "legs" || subject == "skew")
    out["streams"] = all["streams"];
  if (subject == "skew") add_skew(out["streams"], status.snapshot);
  if (subject == "alarms") out["cleared"] = to_array(status.cleared, status.to_wall);
  if (everything || subject == "ports") out["ports"] = all["ports"];
  if (everything || subject == "workers") out["workers"] = all["workers"];
  return out;
}

}  // namespace

std::string answer(std::string_view request, const std::function<Status()>& status) {
  const json parsed = json::parse(request, nullptr, false);
  if (!parsed.is_object()) return refuse(kExpected);
  const auto show = parsed.find("show");
  if (show == parsed.end() || !show->is_string() || parsed.size() != 1) return refuse(kExpected);
  const auto& subject = show->get_ref<const std::string&>();
  if (std::ranges::find(kSubjects, subject) == kSubjects.end()) return refuse(kExpected);
  if (subject == "metrics") return line({{"metrics", metrics_text(status())}});
  return line(describe(status(), subject));
}

}  // namespace castgate
