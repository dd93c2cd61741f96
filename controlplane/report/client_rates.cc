// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/client_rates.h"

#include <map>

#include "controlplane/report/client_report.h"
#include "controlplane/report/rate.h"

namespace castgate {
namespace {

using nlohmann::json;

struct Got {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t drops = 0;
};

Got got(const json& client) {
  Got all{client.value("packets", std::uint64_t{0}), client.value("bytes", std::uint64_t{0})};
  const json drops = client.value("drops", json::object());
  for (const json& count : drops) all.drops += count.get<std::uint64_t>();
  return all;
}

json clients_of(const json& reply) {
  return reply.is_object() ? reply.value("clients", json::array()) : json::array();
}

void add(UnicastSnapshot& sum, const UnicastSnapshot& part) {
  sum.clients += part.clients;
  sum.max_clients += part.max_clients;
  sum.packets += part.packets;
  sum.bytes += part.bytes;
  sum.drops += part.drops;
  sum.backlog += part.backlog;
}

}  // namespace

Table unicast_rates_table(const Snapshot& before, const Snapshot& after, Nanoseconds between) {
  Table table({{"stream", Align::Left},
               {"output", Align::Left},
               {"clients"},
               {"of at most"},
               {"out pps"},
               {"out Mbit/s"},
               {"dropped/s"},
               {"backlog/s"}});
  const Rate rate(between);
  const auto row = [&](const std::string& stream, const UnicastSnapshot& then,
                       const UnicastSnapshot& now) {
    table.add_row({stream, now.name, fmt::to_string(now.clients), fmt::to_string(now.max_clients),
                   rate.packets(then.packets, now.packets), rate.megabits(then.bytes, now.bytes),
                   rate.packets(then.drops, now.drops), rate.packets(then.backlog, now.backlog)});
  };
  UnicastSnapshot all_before;
  UnicastSnapshot all_after;
  unsigned rows = 0;
  for (const StreamSnapshot& stream : after.streams) {
    const StreamSnapshot was = earlier(before.streams, stream.name);
    for (const UnicastSnapshot& now : stream.unicasts) {
      const UnicastSnapshot then = earlier(was.unicasts, now.name);
      row(stream.name, then, now);
      add(all_before, then);
      add(all_after, now);
      ++rows;
    }
  }
  if (rows > 1) row("all", all_before, all_after);
  return table;
}

Table client_rates_table(const json& before, const json& after, Nanoseconds between) {
  Table table({{"client", Align::Left},
               {"stream", Align::Left},
               {"output", Align::Left},
               {"for s"},
               {"out pps"},
               {"out Mbit/s"},
               {"dropped/s"},
               {"dropped"}});
  std::map<std::string, Got> known;
  for (const json& client : clients_of(before)) known.emplace(client.value("id", ""), got(client));
  constexpr Nanoseconds kLeast{1};
  for (const json& client : clients_of(after)) {
    const Got now = got(client);
    const auto then = known.find(client.value("id", ""));
    const double there = client.value("seconds", 0.0);
    const bool is_new = then == known.end();
    const Got was = is_new ? Got{} : then->second;
    const auto since =
        std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(there));
    const Rate rate(is_new ? std::max(since, kLeast) : between);
    table.add_row({client.value("address", ""), client.value("stream", ""),
                   client.value("output", ""), fmt::format("{:.0f}", there),
                   rate.packets(was.packets, now.packets), rate.megabits(was.bytes, now.bytes),
                   rate.packets(was.drops, now.drops), fmt::to_string(now.drops)});
  }
  return table;
}

std::string clients_headline(const json& reply, std::string_view by) {
  const std::size_t shown = clients_of(reply).size();
  const auto total = reply.value("total", shown);
  if (total == 0) return "no clients";
  if (shown == total) return fmt::format("{} clients, by {}:", total, by);
  return fmt::format("{} clients; the first {} by {}:", total, shown, by);
}

}  // namespace castgate
