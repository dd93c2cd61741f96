// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/replay_report.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>

#include "controlplane/report/protection.h"
#include "controlplane/report/skew_report.h"
#include "controlplane/report/snapshot_json.h"
#include "controlplane/report/snapshot_tables.h"

namespace castgate {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;
constexpr std::array<std::string_view, 4> kDifferenceKindNames{"bytes", "time", "missing", "extra"};

double seconds(Nanoseconds span) {
  return static_cast<double>(span.count()) / kNanosecondsPerSecond;
}

std::string protection_lines(const std::vector<StreamSnapshot>& streams) {
  std::string out;
  for (const StreamSnapshot& stream : streams) {
    const StreamProtection judged = judge_protection(stream);
    if (judged.grade == Protection::Full) continue;
    out += fmt::format("{}: {}: {}\n", stream.name, name_of(judged.grade), judged.reason);
  }
  return out + fmt::format("protection: {}\n", name_of(judge_protection(streams)));
}

std::string expectation_lines(const std::vector<Expectation>& expected) {
  std::string out;
  for (const Expectation& one : expected) {
    out += fmt::format("{}: {} {}\n", one.port, one.equal() ? "equals" : "differs from", one.path);
    if (one.difference) out += one.difference->to_string() + '\n';
  }
  return out;
}

nlohmann::json to_json(const CaptureDifference& difference) {
  nlohmann::json out{{"kind", kDifferenceKindNames[static_cast<std::size_t>(difference.kind)]},
                     {"frame", difference.frame},
                     {"text", difference.to_string()}};
  if (difference.kind != DifferenceKind::Bytes) return out;
  out["field"] = difference.field;
  out["offset"] = difference.offset;
  return out;
}

}  // namespace

std::string replay_text(const ReplayResult& result, const std::vector<Expectation>& expected) {
  const Snapshot& snapshot = result.snapshot;
  // A lone packet spans no time; the columns are those of a replay all the same.
  const Nanoseconds span = std::max(result.span, Nanoseconds{1});
  std::string out = legs_table(snapshot).to_string();
  out += '\n' + streams_table(snapshot, span).to_string();
  if (const Table losses = losses_table(snapshot); !losses.empty())
    out += '\n' + losses.to_string();
  out += '\n' + outputs_table(snapshot).to_string();
  if (const Table drops = drops_table(snapshot.drops); !drops.empty())
    out += '\n' + drops.to_string();
  out += fmt::format("\n{} packets in, {} out, {:.3f} s\n", result.packets_in, result.packets_out,
                     seconds(result.span));
  if (result.clamped_timestamps != 0)
    out += fmt::format("{} timestamps ran backwards and were clamped\n", result.clamped_timestamps);
  out += ledger_line(snapshot.ledger) + '\n';
  return out + expectation_lines(expected) + protection_lines(snapshot.streams);
}

nlohmann::json replay_json(const ReplayResult& result, const std::vector<Expectation>& expected) {
  nlohmann::json out = to_json(result.snapshot);
  add_skew(out["streams"], result.snapshot);
  for (std::size_t i = 0; i < result.snapshot.streams.size(); ++i) {
    const StreamProtection judged = judge_protection(result.snapshot.streams[i]);
    out["streams"][i]["protection"] = name_of(judged.grade);
    out["streams"][i]["protection_reason"] = judged.reason;
  }
  nlohmann::json outcomes = nlohmann::json::object();
  for (const Expectation& one : expected) {
    outcomes[one.port] = one.difference ? to_json(*one.difference) : nlohmann::json("equal");
  }
  out["result"] = {{"protection", name_of(judge_protection(result.snapshot.streams))},
                   {"packets_in", result.packets_in},
                   {"packets_out", result.packets_out},
                   {"clamped_timestamps", result.clamped_timestamps},
                   {"expected", outcomes},
                   {"seconds", seconds(result.span)}};
  return out;
}

}  // namespace castgate
