// SPDX-License-Identifier: Apache-2.0
// A snapshot of which every counter has a value of its own.
#pragma once

#include "dataplane/contract/counters.h"

namespace castgate::test {

// Gives every counter of a scope a value of its own.
template <class Counters, class Scope>
void number(const Counters& counters, Scope& scope, std::uint64_t from) {
  for (const auto& counter : counters) scope.*counter.field = from++;
}

constexpr std::size_t place(DropReason reason) {
  return static_cast<std::size_t>(reason);
}

inline Snapshot numbered() {
  Snapshot out;
  StreamSnapshot& stream = out.streams.emplace_back();
  stream.name = "news1";
  number(kStreamCounters, stream, 100);
  stream.legs.emplace_back().name = "A";
  stream.legs[0].state = LegState::Silent;
  number(kLegCounters, stream.legs[0], 200);
  stream.outputs.emplace_back().name = "main";
  number(kOutputCounters, stream.outputs[0], 300);
  stream.unicasts.emplace_back().name = "homes";
  number(kUnicastCounters, stream.unicasts[0], 350);
  PortSnapshot& port = out.ports.emplace_back();
  port.name = "red";
  port.device = "net_null0";
  port.reception = "promiscuous";
  port.link_up = true;
  number(kPortCounters, port, 400);
  port.drops[place(DropReason::IpBadHeader)] = 33;
  number(kWorkerCounters, out.workers.emplace_back(), 500);
  out.workers[0].core = 7;
  out.drops[place(DropReason::NotIp)] = 1;
  out.drops[place(DropReason::TxLinkDown)] = 2;
  out.ledger = {.in = 1, .created = 2, .out = 3, .dropped = 0, .held = 0};
  return out;
}

}  // namespace castgate::test
