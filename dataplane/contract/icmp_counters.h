// SPDX-License-Identifier: Apache-2.0
// What came of ICMP errors about clients' packets, since start.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/contract/counters.h"

namespace castgate {

struct IcmpCounters {
  std::uint64_t port_unreachable = 0;
  std::uint64_t too_big = 0;
  std::uint64_t other_unreachable = 0;
  std::uint64_t forged = 0;
  std::uint64_t doubtful = 0;
  std::uint64_t limited = 0;
  std::uint64_t clients_removed = 0;
  std::uint64_t mtu_lowered = 0;
  std::uint64_t mtu_expired = 0;
};

inline constexpr auto kIcmpCounters = std::to_array<CounterInfo<IcmpCounters>>({
    {"port_unreachable", Unit::Count, &IcmpCounters::port_unreachable,
     "that quote a packet sent to a client in the last 2 s"},
    {"too_big", Unit::Count, &IcmpCounters::too_big,
     "fragmentation needed or packet too big, likewise"},
    {"other_unreachable", Unit::Count, &IcmpCounters::other_unreachable,
     "host, network or else, likewise: may pass, so nothing follows"},
    {"forged", Unit::Count, &IcmpCounters::forged,
     "about a client, but no such packet went to it in the last 2 s"},
    {"doubtful", Unit::Count, &IcmpCounters::doubtful,
     "not believed: they quote a UDP header alone, and forged ones came shortly before"},
    {"limited", Unit::Count, &IcmpCounters::limited, "not looked at: too many at a time"},
    {"clients_removed", Unit::Count, &IcmpCounters::clients_removed,
     "clients that are gone since nobody listened there (unreachable)"},
    {"mtu_lowered", Unit::Count, &IcmpCounters::mtu_lowered,
     "times that the way to a client was found narrower"},
    {"mtu_expired", Unit::Count, &IcmpCounters::mtu_expired,
     "times that this was forgotten, 10 minutes after it was last told"},
});

}  // namespace castgate
