// SPDX-License-Identifier: Apache-2.0
#include "controlplane/admin/metrics.h"

#include <array>
#include <optional>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sstream>
#include <utility>
#include <vector>

#include "controlplane/admin/skew_metric.h"
#include "controlplane/report/utf8.h"
#include "dataplane/contract/metrics.h"

namespace castgate {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using Labels = std::vector<ClientMetric::Label>;

constexpr double kNanosecondsPerSecond = 1e9;

double seconds(Nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

prometheus::MetricType type_of(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return prometheus::MetricType::Counter;
    case MetricType::Gauge:
      return prometheus::MetricType::Gauge;
    case MetricType::Histogram:
      break;
  }
  return prometheus::MetricType::Histogram;
}

// The text, a family of metrics after the other, so that one at a time is in memory.
class Page {
 public:
  // `fill` calls add, or adds to the family what has no plain number.
  // `fill` calls add, or adds to the family what has no plain number.
  template <class Fill>
  void family(Metric metric, const Fill& fill) {
    const MetricInfo& info = info_of(metric);
    MetricFamily made{std::string(info.name), help_of(info), type_of(info.type), {}};
    fill(made);
    write(std::move(made));
  }
  void single(Metric metric, Labels labels, double value) {
    family(metric, [&](MetricFamily& into) { add(into, std::move(labels), value); });
  }
  // A family for each counter; `each` calls its argument with the labels and the counters of every
  // thing that has them.
  template <class Counters, class Each>
  void counters(const MetricScope& scope, const Counters& table, const Each& each) {
    for (const auto& counter : table) {
      CounterMetric metric = counter_metric(scope, counter);
      MetricFamily made{std::move(metric.name), std::move(metric.help), type_of(metric.type), {}};
      const double unit = counter.unit == Unit::Time ? kNanosecondsPerSecond : 1;
      each([&](Labels labels, const auto& of) {
        add(made, std::move(labels), static_cast<double>(of.*counter.field) / unit);
      });
      write(std::move(made));
    }
  }

  static void add(MetricFamily& into, Labels labels, double value) {
    ClientMetric& made = into.metric.emplace_back();
    made.label = std::move(labels);
    made.counter.value = value;
    made.gauge.value = value;
  }
  std::string text() && { return std::move(text_).str(); }

 private:
  void write(MetricFamily family) {
    one_[0] = std::move(family);
    if (!one_[0].metric.empty()) serializer_.Serialize(text_, one_);
  }

  prometheus::TextSerializer serializer_;
  std::vector<MetricFamily> one_ = std::vector<MetricFamily>(1);
  std::ostringstream text_;
};

Labels of_leg(const StreamSnapshot& stream, const LegSnapshot& leg) {
  return {{"stream", stream.name}, {"leg", leg.name}};
}

template <class Put>
void each_leg(const Snapshot& snapshot, const Put& put) {
  for (const StreamSnapshot& stream : snapshot.streams)
    for (const LegSnapshot& leg : stream.legs) put(of_leg(stream, leg), leg);
}

void add_appliance(Page& page, const Status& status) {
  page.single(Metric::Info, {{"appliance", valid_utf8(status.name)}, {"version", CASTGATE_VERSION}},
              1);
  page.single(Metric::StartTime, {},
              static_cast<double>(status.started.ns) / kNanosecondsPerSecond);
  page.single(Metric::Uptime, {}, seconds(status.uptime));
}

void add_streams(Page& page, const Snapshot& snapshot) {
  page.counters(kStreamScope, kStreamCounters, [&](const auto& put) {
    for (const StreamSnapshot& stream : snapshot.streams) put({{"stream", stream.name}}, stream);
  });
  page.counters(kOutputScope, kOutputCounters, [&](const auto& put) {
    for (const StreamSnapshot& stream : snapshot.streams)
      for (const OutputSnapshot& output : stream.outputs)
        put({{"stream", stream.name}, {"output", output.name}}, output);
  });
  page.counters(kUnicastScope, kUnicastCounters, [&](const auto& put) {
    for (const StreamSnapshot& stream : snapshot.streams)
      for (const UnicastSnapshot& unicast : stream.unicasts)
        put({{"stream", stream.name}, {"output", unicast.name}}, unicast);
  });
}

// `value` says none for a leg that has nothing to tell.
template <class Value>
void add_states(Page& page, const Snapshot& snapshot, Metric metric, const Value& value) {
  page.family(metric, [&](MetricFamily& into) {
    each_leg(snapshot, [&](Labels labels, const LegSnapshot& leg) {
      if (const std::optional<double> told = value(leg)) Page::add(into, std::move(labels), *told);
    });
  });
}

void add_legs(Page& page, const Snapshot& snapshot) {
  page.counters(kLegScope, kLegCounters, [&](const auto& put) { each_leg(snapshot, put); });
  const auto each = [&](Metric metric, const auto& value) {
    add_states(page, snapshot, metric, value);
  };
  using Value = std::optional<double>;
  each(Metric::LegUp, [](const LegSnapshot& leg) -> Value { return is_up(leg.state) ? 1 : 0; });
  each(Metric::LegState,
       [](const LegSnapshot& leg) -> Value { return static_cast<double>(leg.state); });
  each(Metric::LegOffset, [](const LegSnapshot& leg) {
    return leg.offset ? Value(static_cast<double>(*leg.offset)) : std::nullopt;
  });
  page.family(Metric::LegSkew, [&](MetricFamily& into) {
    each_leg(snapshot, [&](Labels labels, const LegSnapshot& leg) {
      ClientMetric& made = into.metric.emplace_back();
      made.label = std::move(labels);
      made.histogram = skew_metric(leg.skew);
    });
  });
}

// `from` are the labels before the stage's and the reason's.
void add_drops(MetricFamily& into, const Labels& from, const DropCounts& drops, bool of_a_port) {
  for (std::size_t r = 0; r < kDropReasons; ++r) {
    const DropReasonInfo& reason = kDropReasonTable[r];
    const bool knows_port =
        reason.stage == "classify" || reason.stage == "punt" || reason.stage == "transmit";
    if (of_a_port && !knows_port && drops[r] == 0) continue;
    Labels labels = from;
    labels.push_back({"stage", std::string(reason.stage)});
    labels.push_back({"reason", std::string(reason.name)});
    Page::add(into, std::move(labels), static_cast<double>(drops[r]));
  }
}

void add_ports(Page& page, const Snapshot& snapshot) {
  page.counters(kPortScope, kPortCounters, [&](const auto& put) {
    for (const PortSnapshot& port : snapshot.ports) put({{"port", port.name}}, port);
  });
  page.family(Metric::PortLinkUp, [&](MetricFamily& into) {
    for (const PortSnapshot& port : snapshot.ports)
      Page::add(into, {{"port", port.name}}, port.link_up ? 1 : 0);
  });
  page.family(Metric::PortInfo, [&](MetricFamily& into) {
    for (const PortSnapshot& port : snapshot.ports)
      Page::add(into,
                {{"port", port.name},
                 {"device", valid_utf8(port.device)},
                 {"reception", valid_utf8(port.reception)}},
                1);
  });
  page.family(Metric::Drops,
              [&](MetricFamily& into) { add_drops(into, {}, snapshot.drops, false); });
  page.family(Metric::PortDrops, [&](MetricFamily& into) {
    for (const PortSnapshot& port : snapshot.ports)
      add_drops(into, {{"port", port.name}}, port.drops, true);
  });
}

void add_workers(Page& page, const Snapshot& snapshot) {
  page.counters(kWorkerScope, kWorkerCounters, [&](const auto& put) {
    for (const WorkerSnapshot& worker : snapshot.workers)
      put({{"core", std::to_string(worker.core)}}, worker);
  });
  const Ledger& ledger = snapshot.ledger;
  page.counters(kLedgerScope, kLedgerCounters, [&](const auto& put) { put({}, ledger); });
  // Modulo 2^64 and back to a sign: what is missing is less than nothing.
  const auto difference = static_cast<std::int64_t>(ledger.in + ledger.created - ledger.out -
                                                    ledger.dropped - ledger.held);
  page.single(Metric::LedgerDifference, {}, static_cast<double>(difference));
}

void add_doors(Page& page, const std::vector<NamedDoor>& doors) {
  page.counters(kDoorScope, kDoorCounters, [&](const auto& put) {
    for (const NamedDoor& door : doors) put({{"door", door.name}}, door.counters);
  });
}

void add_icmp(Page& page, const IcmpCounters& counters) {
  page.counters(kIcmpScope, kIcmpCounters, [&](const auto& put) { put({}, counters); });
}

Labels of_kind(const AlarmInfo& kind) {
  const auto severity = static_cast<std::size_t>(kind.severity);
  return {{"alarm", std::string(kind.name)},
          {"severity", std::string(kAlarmSeverityNames[severity])}};
}

Labels of_alarm(const AlarmKey& key) {
  Labels labels = of_kind(info_of(key.kind));
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) labels.push_back({name, valid_utf8(value)});
  };
  add("stream", key.of.stream);
  add("leg", key.of.leg);
  add("port", key.of.port);
  add("core", key.of.core ? std::to_string(*key.of.core) : "");
  return labels;
}

void add_alarms(Page& page, const std::vector<Alarm>& standing) {
  std::array<unsigned, kAlarmKinds> counts{};
  for (const Alarm& alarm : standing) ++counts[static_cast<std::size_t>(alarm.key.kind)];
  page.family(Metric::Alarms, [&](MetricFamily& into) {
    for (std::size_t kind = 0; kind < kAlarmKinds; ++kind)
      Page::add(into, of_kind(kAlarmTable[kind]), counts[kind]);
  });
  page.family(Metric::Alarm, [&](MetricFamily& into) {
    for (const Alarm& alarm : standing) Page::add(into, of_alarm(alarm.key), 1);
  });
}

}  // namespace

std::string metrics_text(const Status& status) {
  Page page;
  add_appliance(page, status);
  add_streams(page, status.snapshot);
  add_legs(page, status.snapshot);
  add_ports(page, status.snapshot);
  add_workers(page, status.snapshot);
  add_doors(page, status.doors);
  add_icmp(page, status.icmp);
  add_alarms(page, status.alarms);
  return std::move(page).text();
}

}  // namespace castgate
