// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/skew_report.h"

#include <cmath>
#include <fmt/format.h>

namespace castgate {
namespace {

using nlohmann::json;

constexpr unsigned kBuckets = SkewHistogram::kBuckets;
constexpr double kNanosecondsPerMillisecond = 1e6;
constexpr double kLongestBar = 40;  // characters

std::string milliseconds(std::uint64_t nanoseconds) {
  return fmt::format("{:.4f}", static_cast<double>(nanoseconds) / kNanosecondsPerMillisecond);
}

void add_leg(Table& table, const std::string& stream, const LegSnapshot& leg) {
  for (unsigned i = 0; i < kBuckets; ++i) {
    const std::uint32_t count = leg.skew.in_bucket(i);
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(leg.skew.count());
    const std::string below = i + 1 == kBuckets ? "-" : milliseconds(SkewHistogram::bounds(i + 1));
    table.add_row({stream, leg.name, milliseconds(SkewHistogram::bounds(i)), below,
                   fmt::to_string(count), fmt::format("{:.2f} %", 100 * share),
                   std::string(static_cast<std::size_t>(std::ceil(kLongestBar * share)), '#')});
  }
}

}  // namespace

json to_json(const SkewHistogram& skew) {
  json out = json::array();
  for (unsigned i = 0; i < kBuckets; ++i) {
    if (skew.in_bucket(i) == 0) continue;
    json bucket{{"from_ns", SkewHistogram::bounds(i)}, {"count", skew.in_bucket(i)}};
    bucket["below_ns"] = nullptr;
    if (i + 1 < kBuckets) bucket["below_ns"] = SkewHistogram::bounds(i + 1);
    out.push_back(std::move(bucket));
  }
  return out;
}

SkewHistogram skew_from_json(const json& in) {
  SkewHistogram skew;
  for (const json& bucket : in)
    skew.add(bucket.value("from_ns", std::uint64_t{0}), bucket.value("count", 0u));
  return skew;
}

void add_skew(json& streams, const Snapshot& snapshot) {
  for (std::size_t s = 0; s < snapshot.streams.size(); ++s)
    for (std::size_t l = 0; l < snapshot.streams[s].legs.size(); ++l)
      streams[s]["legs"][l]["skew_histogram"] = to_json(snapshot.streams[s].legs[l].skew);
}

Table skew_table(const Snapshot& snapshot) {
  Table table({{"stream", Align::Left},
               {"leg", Align::Left},
               {"skew ms: from"},
               {"below"},
               {"positions"},
               {"share"},
               {"", Align::Left}});
  for (const StreamSnapshot& stream : snapshot.streams)
    for (const LegSnapshot& leg : stream.legs) add_leg(table, stream.name, leg);
  return table;
}

}  // namespace castgate
