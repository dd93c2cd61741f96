// SPDX-License-Identifier: Apache-2.0
// What came of requests at the doors, since start.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/contract/counters.h"

namespace castgate {

struct DoorCounters {
  std::uint64_t joins = 0;
  std::uint64_t renewals = 0;
  std::uint64_t leaves = 0;
  std::uint64_t expired = 0;
  std::uint64_t proofs_sent = 0;
  std::uint64_t proofs_failed = 0;
  std::uint64_t proofs_expired = 0;
  std::uint64_t bad_request = 0;
  std::uint64_t bad_address = 0;
  std::uint64_t auth_fail = 0;
  std::uint64_t forbidden = 0;
  std::uint64_t not_found = 0;
  std::uint64_t conflict = 0;
  std::uint64_t quota = 0;
  std::uint64_t rate = 0;
  std::uint64_t no_place = 0;
  std::uint64_t crowded = 0;
};

inline constexpr auto kDoorCounters = std::to_array<CounterInfo<DoorCounters>>({
    {"joins", Unit::Count, &DoorCounters::joins, "clients that came"},
    {"renewals", Unit::Count, &DoorCounters::renewals, "leases that began anew"},
    {"leaves", Unit::Count, &DoorCounters::leaves, "clients that left by themselves"},
    {"expired", Unit::Count, &DoorCounters::expired, "clients that were not renewed"},
    {"proofs_sent", Unit::Count, &DoorCounters::proofs_sent,
     "datagrams with a nonce to addresses that had to prove themselves"},
    {"proofs_failed", Unit::Count, &DoorCounters::proofs_failed, "wrong nonces (403)"},
    {"proofs_expired", Unit::Count, &DoorCounters::proofs_expired, "nonces nobody brought back"},
    {"bad_request", Unit::Count, &DoorCounters::bad_request,
     "no HTTP, too long, or not what the request must hold (400, 405, 413, 415, 431)"},
    {"bad_address", Unit::Count, &DoorCounters::bad_address,
     "clients at no host's address, or at one of ours (400)"},
    {"auth_fail", Unit::Count, &DoorCounters::auth_fail, "without a token, or a wrong one (401)"},
    {"forbidden", Unit::Count, &DoorCounters::forbidden,
     "peers or clients outside allow:, or another's address (403)"},
    {"not_found", Unit::Count, &DoorCounters::not_found, "no such stream or client (404)"},
    {"conflict", Unit::Count, &DoorCounters::conflict,
     "a client that has the stream at another address or port (409)"},
    {"quota", Unit::Count, &DoorCounters::quota, "one address wanted too many (429)"},
    {"rate", Unit::Count, &DoorCounters::rate, "one peer asked too fast (429)"},
    {"no_place", Unit::Count, &DoorCounters::no_place, "no place left, or busy (503)"},
    {"crowded", Unit::Count, &DoorCounters::crowded, "connections beyond the most there may be"},
});

}  // namespace castgate
