// SPDX-License-Identifier: Apache-2.0
// What castgate tells Prometheus beside its counters, and how both are called there. The names of
// counters are made of the tables in counters.h; this table has the rest: states, alarms, drops by
// reason. pipelines/reference.md prints all of it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "dataplane/contract/counters.h"

namespace castgate {

// What the counters of a table are of: a part of their metrics' names, and the labels that tell one
// such thing from another.
struct MetricScope {
  std::string_view word;
  std::string_view labels;  // with commas
};

inline constexpr MetricScope kLegScope{"leg", "stream, leg"};
inline constexpr MetricScope kStreamScope{"stream", "stream"};
inline constexpr MetricScope kOutputScope{"output", "stream, output"};
inline constexpr MetricScope kUnicastScope{"unicast", "stream, output"};
inline constexpr MetricScope kPortScope{"port", "port"};
inline constexpr MetricScope kWorkerScope{"worker", "core"};
inline constexpr MetricScope kLedgerScope{"ledger", ""};
inline constexpr MetricScope kDoorScope{"door", "door"};
inline constexpr MetricScope kIcmpScope{"icmp", ""};

enum class MetricType : std::uint8_t { Counter, Gauge, Histogram };

inline constexpr std::array<std::string_view, 3> kMetricTypeNames{"counter", "gauge", "histogram"};

enum class Metric : std::uint8_t {
  Info,
  StartTime,
  Uptime,
  LegUp,
  LegState,
  LegOffset,
  LegSkew,
  PortLinkUp,
  PortInfo,
  Drops,
  PortDrops,
  LedgerDifference,
  Alarms,
  Alarm,
  kCount
};

inline constexpr std::size_t kMetrics = static_cast<std::size_t>(Metric::kCount);

struct MetricInfo {
  Metric metric;
  MetricType type;
  std::string_view name;
  std::string_view labels;
  std::string_view meaning;
};

inline constexpr std::array<MetricInfo, kMetrics> kMetricTable{{
    {Metric::Info, MetricType::Gauge, "castgate_info", "appliance, version",
     "always 1: the appliance and its version are in the labels"},
    {Metric::StartTime, MetricType::Gauge, "castgate_start_time_seconds", "",
     "when castgate was started, in seconds since 1970"},
    {Metric::Uptime, MetricType::Gauge, "castgate_uptime_seconds", "",
     "since castgate was started"},
    {Metric::LegUp, MetricType::Gauge, "castgate_leg_up", "stream, leg",
     "1 where the leg brings what the stream may use, else 0"},
    {Metric::LegState, MetricType::Gauge, "castgate_leg_state", "stream, leg",
     "state of the leg: "},
    {Metric::LegOffset, MetricType::Gauge, "castgate_leg_offset", "stream, leg",
     "added to the leg's numbers, where that is asked for and known"},
    {Metric::LegSkew, MetricType::Histogram, "castgate_leg_skew_seconds", "stream, leg",
     "behind the first leg, of the sampled positions; the sum is made of the buckets' middles"},
    {Metric::PortLinkUp, MetricType::Gauge, "castgate_port_link_up", "port",
     "1 where the port has a link, else 0"},
    {Metric::PortInfo, MetricType::Gauge, "castgate_port_info", "port, device, reception",
     "always 1: the port's device and how it receives multicast are in the labels"},
    {Metric::Drops, MetricType::Counter, "castgate_drops_total", "stage, reason",
     "packets that ended in castgate, by the stage that decided it and its reason"},
    {Metric::PortDrops, MetricType::Counter, "castgate_port_drops_total", "port, stage, reason",
     "those of them of which the port is known: of classify, punt and transmit"},
    {Metric::LedgerDifference, MetricType::Gauge, "castgate_ledger_difference_packets", "",
     "in + created - out - dropped - held: 0 unless a packet got lost unnamed, which is a fault of "
     "castgate; for a moment it may be another number where workers hand packets over"},
    {Metric::Alarms, MetricType::Gauge, "castgate_alarms", "alarm, severity",
     "how many alarms of this kind stand now"},
    {Metric::Alarm, MetricType::Gauge, "castgate_alarm", "alarm, severity, stream, leg, port, core",
     "1 while this alarm stands; absent otherwise"},
}};

constexpr const MetricInfo& info_of(Metric metric) noexcept {
  return kMetricTable[static_cast<std::size_t>(metric)];
}

consteval bool metrics_stand_in_order() {
  for (std::size_t i = 0; i < kMetrics; ++i)
    if (static_cast<std::size_t>(kMetricTable[i].metric) != i) return false;
  return true;
}
static_assert(metrics_stand_in_order());

// With what the code alone knows: the numbers of a leg's states.
std::string help_of(const MetricInfo& metric);

// A counter as Prometheus knows it: castgate_leg_packets_total. Times are in seconds there.
struct CounterMetric {
  std::string name;
  MetricType type = MetricType::Counter;
  std::string help;
};
CounterMetric counter_metric(const MetricScope& scope, std::string_view counter, Unit unit,
                             Measure measure, std::string_view meaning);

template <class Scope>
CounterMetric counter_metric(const MetricScope& scope, const CounterInfo<Scope>& counter) {
  return counter_metric(scope, counter.name, counter.unit, counter.measure, counter.meaning);
}

}  // namespace castgate
