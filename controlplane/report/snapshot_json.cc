// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/snapshot_json.h"

#include <algorithm>
#include <string>

#include "controlplane/report/protection.h"
#include "controlplane/report/skew_report.h"
#include "dataplane/contract/counters.h"

namespace castgate {
namespace {

using nlohmann::json;

template <class Counters, class Scope>
void put_counters(json& out, const Counters& counters, const Scope& scope) {
  for (const auto& counter : counters) out[std::string(counter.name)] = scope.*counter.field;
}

template <class Counters, class Scope>
void get_counters(const json& in, const Counters& counters, Scope& scope) {
  for (const auto& counter : counters)
    scope.*counter.field = in.value(std::string(counter.name), std::uint64_t{0});
}

template <class T>
json to_array(const std::vector<T>& all) {
  json out = json::array();
  for (const T& one : all) out.push_back(to_json(one));
  return out;
}

json leg_to_json(const LegSnapshot& leg) {
  json out{{"name", leg.name}, {"state", kLegStateNames[static_cast<std::size_t>(leg.state)]}};
  put_counters(out, kLegCounters, leg);
  out["offset"] = nullptr;
  if (leg.offset) out["offset"] = *leg.offset;
  return out;
}

// What the counters say together.
void put_losses(json& out, const StreamSnapshot& stream) {
  out["save_rate"] = nullptr;
  out["correlated_loss"] = nullptr;
  if (const auto saved = save_rate(stream)) out["save_rate"] = *saved;
  if (const auto loss = correlated_loss(stream))
    out["correlated_loss"] = {{"unrecovered", stream.unrecovered},
                              {"by_chance", loss->by_chance},
                              {"ratio", loss->ratio}};
}

json output_to_json(const OutputSnapshot& output) {
  json out{{"name", output.name}};
  put_counters(out, kOutputCounters, output);
  return out;
}

LegSnapshot leg_from_json(const json& in) {
  LegSnapshot leg;
  leg.name = in.value("name", "");
  const auto state = std::ranges::find(kLegStateNames, in.value("state", ""));
  if (state != kLegStateNames.end())
    leg.state = static_cast<LegState>(state - kLegStateNames.begin());
  get_counters(in, kLegCounters, leg);
  const json offset = in.value("offset", json());
  if (offset.is_number_integer()) leg.offset = offset.get<std::int64_t>();
  leg.skew = skew_from_json(in.value("skew_histogram", json::array()));
  leg.skew.note_max(leg.skew_max_ns);
  return leg;
}

StreamSnapshot stream_from_json(const json& in) {
  StreamSnapshot stream;
  stream.name = in.value("name", "");
  for (const json& leg : in.value("legs", json::array())) stream.legs.push_back(leg_from_json(leg));
  for (const json& output : in.value("outputs", json::array())) {
    stream.outputs.emplace_back().name = output.value("name", "");
    get_counters(output, kOutputCounters, stream.outputs.back());
  }
  for (const json& unicast : in.value("unicasts", json::array())) {
    stream.unicasts.emplace_back().name = unicast.value("name", "");
    get_counters(unicast, kUnicastCounters, stream.unicasts.back());
  }
  get_counters(in, kStreamCounters, stream);
  return stream;
}

DropCounts drops_from_json(const json& in) {
  DropCounts drops{};
  for (std::size_t i = 0; i < kDropReasons; ++i)
    drops[i] = in.value(std::string(kDropReasonTable[i].name), std::uint64_t{0});
  return drops;
}

PortSnapshot port_from_json(const json& in) {
  PortSnapshot port;
  port.name = in.value("name", "");
  port.device = in.value("device", "");
  port.link_up = in.value("link_up", false);
  port.reception = in.value("reception", "");
  port.drops = drops_from_json(in.value("drops", json::object()));
  get_counters(in, kPortCounters, port);
  return port;
}

WorkerSnapshot worker_from_json(const json& in) {
  WorkerSnapshot worker;
  worker.core = in.value("core", 0u);
  get_counters(in, kWorkerCounters, worker);
  return worker;
}

Ledger ledger_from_json(const json& in) {
  constexpr std::uint64_t kZero = 0;
  return {.in = in.value("in", kZero),
          .created = in.value("created", kZero),
          .out = in.value("out", kZero),
          .dropped = in.value("dropped", kZero),
          .held = in.value("held", kZero)};
}

}  // namespace

json to_json(const StreamSnapshot& stream) {
  json out{{"name", stream.name}, {"legs", json::array()}, {"outputs", json::array()}};
  put_counters(out, kStreamCounters, stream);
  put_losses(out, stream);
  for (const LegSnapshot& leg : stream.legs) out["legs"].push_back(leg_to_json(leg));
  for (const OutputSnapshot& output : stream.outputs)
    out["outputs"].push_back(output_to_json(output));
  for (const UnicastSnapshot& unicast : stream.unicasts) {
    json made{{"name", unicast.name}};
    put_counters(made, kUnicastCounters, unicast);
    out["unicasts"].push_back(std::move(made));
  }
  return out;
}

json to_json(const PortSnapshot& port) {
  json out{{"name", port.name},
           {"device", port.device},
           {"link_up", port.link_up},
           {"reception", port.reception},
           {"drops", to_json(port.drops)}};
  put_counters(out, kPortCounters, port);
  return out;
}

json to_json(const WorkerSnapshot& worker) {
  json out{{"core", worker.core}};
  put_counters(out, kWorkerCounters, worker);
  return out;
}

json to_json(const DropCounts& drops) {
  json out = json::object();
  for (std::size_t i = 0; i < kDropReasons; ++i)
    if (drops[i] != 0) out[std::string(kDropReasonTable[i].name)] = drops[i];
  return out;
}

json to_json(const Ledger& ledger) {
  return {{"in", ledger.in},     {"created", ledger.created},
          {"out", ledger.out},   {"dropped", ledger.dropped},
          {"held", ledger.held}, {"balances", ledger.balances()}};
}

json to_json(const Snapshot& snapshot) {
  return {{"streams", to_array(snapshot.streams)},
          {"ports", to_array(snapshot.ports)},
          {"workers", to_array(snapshot.workers)},
          {"drops", to_json(snapshot.drops)},
          {"ledger", to_json(snapshot.ledger)}};
}

Result<Snapshot> snapshot_from_json(const json& in) try {
  Snapshot out;
  for (const json& stream : in.value("streams", json::array()))
    out.streams.push_back(stream_from_json(stream));
  for (const json& port : in.value("ports", json::array()))
    out.ports.push_back(port_from_json(port));
  for (const json& worker : in.value("workers", json::array()))
    out.workers.push_back(worker_from_json(worker));
  out.drops = drops_from_json(in.value("drops", json::object()));
  out.ledger = ledger_from_json(in.value("ledger", json::object()));
  return out;
} catch (const json::exception& error) {
  return fail(std::string("not castgate's counters: ") + error.what());
}

}  // namespace castgate
