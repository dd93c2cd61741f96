// SPDX-License-Identifier: Apache-2.0
#include "dataplane/contract/metrics.h"

namespace castgate {
namespace {

constexpr std::string_view kNanoseconds = "_ns";

std::string_view unit_in_help(Unit unit) {
  switch (unit) {
    case Unit::Packets:
    case Unit::Bytes:
    case Unit::Positions:
      return kUnitNames[static_cast<std::size_t>(unit)];
    case Unit::Time:
      return "seconds";
    case Unit::Count:
    case Unit::State:
      break;
  }
  return "";
}

}  // namespace

std::string help_of(const MetricInfo& metric) {
  std::string help(metric.meaning);
  if (metric.metric != Metric::LegState) return help;
  for (std::size_t state = 0; state < kLegStateNames.size(); ++state) {
    if (state != 0) help += ", ";
    help.append(std::to_string(state)).append(" ").append(kLegStateNames[state]);
  }
  return help;
}

CounterMetric counter_metric(const MetricScope& scope, std::string_view counter, Unit unit,
                             Measure measure, std::string_view meaning) {
  const bool is_time = unit == Unit::Time;
  if (is_time && counter.ends_with(kNanoseconds)) counter.remove_suffix(kNanoseconds.size());
  CounterMetric made;
  made.name.append("castgate_").append(scope.word).append("_").append(counter);
  if (is_time) made.name += "_seconds";
  made.type = measure == Measure::Sum ? MetricType::Counter : MetricType::Gauge;
  if (made.type == MetricType::Counter) made.name += "_total";
  const std::string_view counted = unit_in_help(unit);
  if (!counted.empty()) made.help.append(counted).append(": ");
  made.help += meaning;
  return made;
}

}  // namespace castgate
