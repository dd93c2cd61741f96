// SPDX-License-Identifier: Apache-2.0
// pipelines/reference.md and its JSON form, from the tables that the code itself uses.
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <span>

#include "dataplane/contract/alarm_kind.h"
#include "dataplane/contract/counters.h"
#include "dataplane/contract/door_counters.h"
#include "dataplane/contract/drop_reason.h"
#include "dataplane/contract/icmp_counters.h"
#include "dataplane/contract/metrics.h"
#include "pipelines/keys.h"
#include "pipelines/units.h"

namespace castgate {
namespace {

constexpr std::string_view kIntro = R"(# Reference

Every YAML key, counter, metric, alarm and drop reason. Printed by `castgate keys`; not to be
edited.

## How values are written

- A file is one YAML document of UTF-8 text, at most 4 MiB, indented by spaces.
- Durations, sizes, rates and shares carry their unit: `10ms`, `512MiB`, `100kpps`, `0.1%`. A
  number without one is an error. Decimals are taken where they come out whole: `1.5ms`. Plain
  numbers have no unit.
- Durations: ns, us, ms, s. Sizes: B, KiB, MiB, GiB, TiB (of 1024). Rates: pps, kpps, Mpps.
  Bit rates: bps, kbps, Mbps, Gbps (of 1000). Frequencies: Hz, kHz, MHz.
  Shares: ppm, %.
- Names are 1 to 64 letters, digits, `_`, `.` and `-`. Quotes never change what a value means.
- An endpoint is an address and a UDP port: `239.1.0.1:5000`, or in quotes `"[ff3e::1]:5000"`.
- Unknown keys and keys given twice are errors. Keys that begin with `x-` are yours: they are not
  read. Anchors and aliases work; merge keys (`<<`) do not.
- `*` stands for a name that you choose. Ports, legs and outputs keep the order of the file.
- "live" keys take effect when the file is read again (SIGHUP), "restart-only" keys at the next
  start: where one of them differs, nothing of the file takes effect, and each is told.
)";

struct Part {
  std::string_view title;
  std::span<const KeyInfo> keys;
};

std::array<Part, 11> parts() {
  return {{{"Appliance", kApplianceKeys},
           {"Doors", kDoorKeys},
           {"Ports", kPortKeys},
           {"Streams and legs", kStreamKeys},
           {"Failover", kFailoverKeys},
           {"Verdicts", kVerifyKeys},
           {"Restamp", kRestampKeys},
           {"Monitor", kMonitorKeys},
           {"Outputs", kOutputKeys},
           {"Protect", kProtectKeys},
           {"Open", kOpenKeys}}};
}

// A table's cell: an empty one reads as a dash.
std::string cell(std::string_view text) {
  return text.empty() ? "-" : std::string(text);
}

std::string key_table(const Part& part) {
  std::string text = fmt::format("\n### {}\n\n", part.title);
  text += "| key | value | unit | range | default | change | meaning |\n";
  text += "|---|---|---|---|---|---|---|\n";
  for (const KeyInfo& key : part.keys) {
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", key.path, key.value_text(),
                        cell(key.unit_text()), cell(key.range_text()), key.default_text(),
                        change_text(key), key.meaning);
  }
  return text;
}

std::string reserved_table() {
  std::string text =
      "\n### Reserved, refused as \"not yet\"\n\n| key | what it will be |\n|---|---|\n";
  for (const ReservedKey& key : reserved_keys()) {
    text += fmt::format("| `{}` | {} |\n", key.path, key.what);
  }
  for (const KeyInfo* key : all_keys()) {
    for (const auto choice : key->later) {
      text += fmt::format("| `{}: {}` | a value to come |\n", key->path, choice);
    }
  }
  return text;
}

template <class Table>
std::string counter_table(std::string_view title, const MetricScope& scope, const Table& counters) {
  std::string text = fmt::format("\n### {}\n\n", title);
  if (!scope.labels.empty()) text += fmt::format("Labels: {}.\n\n", scope.labels);
  text += "| counter | unit | metric | meaning |\n|---|---|---|---|\n";
  for (const auto& counter : counters) {
    text += fmt::format("| `{}` | {} | `{}` | {} |\n", counter.name,
                        kUnitNames[static_cast<std::size_t>(counter.unit)],
                        counter_metric(scope, counter).name, counter.meaning);
  }
  return text;
}

std::string counter_tables() {
  std::string text = "\n## Counters\n\n";
  text += "What `castgate show --json` names them, and how they are called for Prometheus\n";
  text += "(`castgate show metrics`). Metrics that end in `_total` only grow; times are in\n";
  text += "seconds there.\n";
  text += counter_table("Of a leg", kLegScope, kLegCounters);
  text += counter_table("Of a stream", kStreamScope, kStreamCounters);
  text += counter_table("Of an output", kOutputScope, kOutputCounters);
  text += counter_table("Of a unicast output", kUnicastScope, kUnicastCounters);
  text += counter_table("Of a door", kDoorScope, kDoorCounters);
  text += counter_table("Of ICMP errors about clients", kIcmpScope, kIcmpCounters);
  text += counter_table("Of a port", kPortScope, kPortCounters);
  text += counter_table("Of a worker", kWorkerScope, kWorkerCounters);
  return text + counter_table("Of the appliance's ledger", kLedgerScope, kLedgerCounters);
}

std::string metric_table() {
  std::string text =
      "\n## Other metrics\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n";
  for (const MetricInfo& metric : kMetricTable) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", metric.name,
                        kMetricTypeNames[static_cast<std::size_t>(metric.type)],
                        cell(metric.labels), help_of(metric));
  }
  return text;
}

std::string alarm_table() {
  std::string text = "\n## Alarms\n\n";
  text +=
      "What `castgate show alarms` may show. Severities are those of ITU-T X.733; an alarm is\n";
  text += "cleared once its cause has been gone for its hold-down.\n\n";
  text += "| alarm | severity | hold-down | meaning |\n|---|---|---|---|\n";
  for (const auto& alarm : kAlarmTable) {
    const bool held = alarm.clear_after.count() != 0;
    text += fmt::format("| `{}` | {} | {} | {} |\n", alarm.name,
                        kAlarmSeverityNames[static_cast<std::size_t>(alarm.severity)],
                        held ? duration_text(alarm.clear_after) : "-", alarm.meaning);
  }
  return text;
}

std::string drop_table() {
  std::string text = "\n## Drop reasons\n\n";
  text += "Every packet that ends here has one of these names.\n\n";
  text += "| reason | stage | meaning |\n|---|---|---|\n";
  for (const auto& reason : kDropReasonTable) {
    text += fmt::format("| `{}` | {} | {} |\n", reason.name, reason.stage, reason.meaning);
  }
  return text;
}

nlohmann::ordered_json key_json(const KeyInfo& key) {
  nlohmann::ordered_json json;
  json["key"] = key.path;
  json["value"] = key.value_text();
  json["unit"] = key.unit_text();
  json["range"] = key.range_text();
  json["required"] = key.fallback == nullptr;
  json["default"] = nullptr;
  if (key.fallback != nullptr) json["default"] = key.default_text();
  json["change"] = change_text(key);
  json["meaning"] = key.meaning;
  return json;
}

}  // namespace

std::string reference_text() {
  std::string text(kIntro);
  text += "\n## Keys\n";
  for (const Part& part : parts()) text += key_table(part);
  text += reserved_table();
  return text + counter_tables() + metric_table() + alarm_table() + drop_table();
}

std::string keys_json() {
  auto json = nlohmann::ordered_json::array();
  for (const KeyInfo* key : all_keys()) json.push_back(key_json(*key));
  constexpr int kIndent = 2;
  return json.dump(kIndent) + "\n";
}

}  // namespace castgate
