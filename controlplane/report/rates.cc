// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/rates.h"

#include <algorithm>
#include <fmt/format.h>

#include "controlplane/report/rate.h"

namespace castgate {
namespace {

struct Sums {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  std::uint64_t out_bytes = 0;
};

Sums sums_of(const StreamSnapshot& stream) {
  Sums sums;
  for (const LegSnapshot& leg : stream.legs) sums.in += leg.packets;
  for (const OutputSnapshot& output : stream.outputs) {
    sums.out += output.packets;
    sums.out_bytes += output.bytes;
  }
  for (const UnicastSnapshot& unicast : stream.unicasts) {
    sums.out += unicast.packets;
    sums.out_bytes += unicast.bytes;
  }
  return sums;
}

}  // namespace

Table port_rates_table(const Snapshot& before, const Snapshot& after, Nanoseconds between) {
  Table table({{"port", Align::Left},
               {"link", Align::Left},
               {"in pps"},
               {"in Mbit/s"},
               {"missed/s"},
               {"out pps"},
               {"out Mbit/s"}});
  const Rate rate(between);
  for (const PortSnapshot& now : after.ports) {
    const PortSnapshot then = earlier(before.ports, now.name);
    table.add_row(
        {now.name, now.link_up ? "up" : "down", rate.packets(then.rx_packets, now.rx_packets),
         rate.megabits(then.rx_bytes, now.rx_bytes),
         rate.packets(then.rx_missed + then.rx_no_buffer, now.rx_missed + now.rx_no_buffer),
         rate.packets(then.tx_packets, now.tx_packets),
         rate.megabits(then.tx_bytes, now.tx_bytes)});
  }
  return table;
}

Table stream_rates_table(const Snapshot& before, const Snapshot& after, Nanoseconds between) {
  Table table({{"stream", Align::Left},
               {"legs up"},
               {"in pps"},
               {"out pps"},
               {"out Mbit/s"},
               {"recovered/s"},
               {"unrecovered/s"}});
  const Rate rate(between);
  for (const StreamSnapshot& now : after.streams) {
    const StreamSnapshot then = earlier(before.streams, now.name);
    const Sums was = sums_of(then);
    const Sums is = sums_of(now);
    const auto up = std::ranges::count_if(now.legs, is_up, &LegSnapshot::state);
    table.add_row({now.name, fmt::format("{}/{}", up, now.legs.size()), rate.packets(was.in, is.in),
                   rate.packets(was.out, is.out), rate.megabits(was.out_bytes, is.out_bytes),
                   rate.packets(then.recovered, now.recovered),
                   rate.packets(then.unrecovered, now.unrecovered)});
  }
  return table;
}

}  // namespace castgate
