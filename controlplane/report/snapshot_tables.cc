// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/snapshot_tables.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "controlplane/report/protection.h"
#include "dataplane/contract/counters.h"

namespace castgate {
namespace {

constexpr double kNanosecondsPerMillisecond = 1e6;

std::string text(std::uint64_t number) {
  return fmt::to_string(number);
}

std::string milliseconds(double nanoseconds) {
  return fmt::format("{:.3f}", nanoseconds / kNanosecondsPerMillisecond);
}

std::string milliseconds(std::uint64_t nanoseconds) {
  return milliseconds(static_cast<double>(nanoseconds));
}

std::string state_of(const LegSnapshot& leg) {
  return std::string(kLegStateNames[static_cast<std::size_t>(leg.state)]);
}

bool is_renumbered(const LegSnapshot& leg) {
  return leg.offset || leg.offset_learning != 0 || leg.state == LegState::Learning;
}

std::string offset_of(const LegSnapshot& leg) {
  return leg.offset ? fmt::format("{:+}", *leg.offset) : std::string("?");
}

std::uint64_t sum(const DropCounts& drops) {
  return std::accumulate(drops.begin(), drops.end(), std::uint64_t{0});
}

// Positions times their mean spacing: what a receiver without our output would have waited.
std::string longest_gap(const StreamSnapshot& stream, Nanoseconds span) {
  const std::uint64_t positions = stream.forwarded + stream.unrecovered;
  if (stream.gap_max == 0 || span.count() == 0) return text(stream.gap_max);
  const double spacing = static_cast<double>(span.count()) / static_cast<double>(positions);
  return fmt::format("{} ({} ms)", stream.gap_max,
                     milliseconds(static_cast<double>(stream.gap_max) * spacing));
}

std::string saved(const StreamSnapshot& stream) {
  const auto rate = save_rate(stream);
  if (!rate) return "-";
  // Cut, not rounded: 100.00 % is for those who lost nothing.
  return fmt::format("{:.2f} %", std::floor(10'000 * *rate) / 100);
}

std::string legs_up(const StreamSnapshot& stream) {
  const auto up = std::ranges::count_if(stream.legs, is_up, &LegSnapshot::state);
  return fmt::format("{}/{}", up, stream.legs.size());
}

}  // namespace

Table streams_table(const Snapshot& snapshot, Nanoseconds span) {
  const bool over_a_span = span.count() != 0;
  const Column last = over_a_span ? Column{"protection", Align::Left} : Column{"legs up"};
  Table table({{"stream", Align::Left},
               {"forwarded"},
               {"recovered"},
               {"unrecovered"},
               {"longest gap"},
               {"saved"},
               last});
  for (const StreamSnapshot& stream : snapshot.streams) {
    const std::string grade =
        over_a_span ? std::string(name_of(judge_protection(stream).grade)) : legs_up(stream);
    table.add_row({stream.name, text(stream.forwarded), text(stream.recovered),
                   text(stream.unrecovered), longest_gap(stream, span), saved(stream), grade});
  }
  return table;
}

Table losses_table(const Snapshot& snapshot) {
  Table table({{"stream", Align::Left},
               {"lost, all legs"},
               {"unrecovered"},
               {"by chance"},
               {"correlated loss", Align::Left}});
  for (const StreamSnapshot& stream : snapshot.streams) {
    const auto loss = correlated_loss(stream);
    if (!loss) continue;
    const auto lost = std::accumulate(
        stream.legs.begin(), stream.legs.end(), std::uint64_t{0},
        [](std::uint64_t sum_of, const LegSnapshot& leg) { return sum_of + leg.lost; });
    table.add_row({stream.name, text(lost), text(stream.unrecovered),
                   fmt::format("{:.2f}", loss->by_chance),
                   fmt::format("{:.1f} times chance", loss->ratio)});
  }
  return table;
}

Table legs_table(const Snapshot& snapshot) {
  const bool offsets = std::ranges::any_of(snapshot.streams, [](const StreamSnapshot& stream) {
    return std::ranges::any_of(stream.legs, is_renumbered);
  });
  std::vector<Column> columns{{"stream", Align::Left},
                              {"leg", Align::Left},
                              {"state", Align::Left},
                              {"received"},
                              {"lost"},
                              {"late"},
                              {"skew ms: p50"},
                              {"p99"},
                              {"max"}};
  if (offsets) columns.push_back({"offset"});
  Table table(columns);
  for (const StreamSnapshot& stream : snapshot.streams)
    for (const LegSnapshot& leg : stream.legs) {
      std::vector<std::string> row{stream.name,
                                   leg.name,
                                   state_of(leg),
                                   text(leg.packets),
                                   text(leg.lost),
                                   text(leg.late + leg.late_after_release),
                                   milliseconds(leg.skew_p50_ns),
                                   milliseconds(leg.skew_p99_ns),
                                   milliseconds(leg.skew_max_ns)};
      if (offsets) row.push_back(is_renumbered(leg) ? offset_of(leg) : "-");
      table.add_row(row);
    }
  return table;
}

// Clients have a column where some output is unicast.
Table outputs_table(const Snapshot& snapshot) {
  const bool clients = std::ranges::any_of(
      snapshot.streams, [](const StreamSnapshot& stream) { return !stream.unicasts.empty(); });
  std::vector<Column> columns{
      {"stream", Align::Left}, {"output", Align::Left}, {"packets"}, {"bytes"}, {"dropped"}};
  if (clients) columns.insert(columns.begin() + 2, {"clients"});
  Table table(columns);
  const auto add = [&](const std::string& stream, const auto& output, const std::string& count) {
    std::vector<std::string> row{stream, output.name, text(output.packets), text(output.bytes),
                                 text(output.drops)};
    if (clients) row.insert(row.begin() + 2, count);
    table.add_row(row);
  };
  for (const StreamSnapshot& stream : snapshot.streams) {
    for (const OutputSnapshot& output : stream.outputs) add(stream.name, output, "-");
    for (const UnicastSnapshot& unicast : stream.unicasts)
      add(stream.name, unicast, text(unicast.clients));
  }
  return table;
}

Table ports_table(const Snapshot& snapshot) {
  Table table({{"port", Align::Left},
               {"link", Align::Left},
               {"received"},
               {"missed"},
               {"dropped"},
               {"punted"},
               {"sent"},
               {"reception", Align::Left},
               {"device", Align::Left}});
  for (const PortSnapshot& port : snapshot.ports)
    table.add_row({port.name, port.link_up ? "up" : "down", text(port.rx_packets),
                   text(port.rx_missed + port.rx_no_buffer + port.rx_errors), text(sum(port.drops)),
                   text(port.punted), text(port.tx_packets),
                   port.reception.empty() ? "-" : port.reception, port.device});
  return table;
}

Table workers_table(const Snapshot& snapshot) {
  Table table({{"core"}, {"streams"}, {"packets"}, {"loops"}, {"busy"}, {"stalls"}});
  for (const WorkerSnapshot& worker : snapshot.workers) {
    const double busy = worker.loops == 0 ? 0
                                          : 100 * static_cast<double>(worker.busy_loops) /
                                                static_cast<double>(worker.loops);
    table.add_row({fmt::to_string(worker.core), text(worker.streams), text(worker.packets),
                   text(worker.loops), fmt::format("{:.1f} %", busy), text(worker.stalls)});
  }
  return table;
}

Table drops_table(const DropCounts& drops) {
  Table table({{"dropped"}, {"reason", Align::Left}, {"meaning", Align::Left}});
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    if (drops[i] == 0) continue;
    const DropReasonInfo& reason = kDropReasonTable[i];
    table.add_row({text(drops[i]), std::string(reason.name), std::string(reason.meaning)});
  }
  return table;
}

std::string ledger_line(const Ledger& ledger) {
  return fmt::format("ledger: in {} + created {} = out {} + dropped {} + held {}: {}", ledger.in,
                     ledger.created, ledger.out, ledger.dropped, ledger.held,
                     ledger.balances() ? "balances" : "DOES NOT BALANCE");
}

}  // namespace castgate
