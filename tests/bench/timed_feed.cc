// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/timed_feed.h"

#include <algorithm>
#include <ctime>

namespace castgate::bench {
namespace {

constexpr unsigned kRing = 1024;  // packets, as our ports ask their drivers for

}  // namespace

Instant own_time() noexcept {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return {spent.tv_sec * 1'000'000'000 + spent.tv_nsec};
}

StreamSpec unicast_stream(unsigned leg, unsigned out, unsigned clients, unsigned most_pps) {
  StreamSpec stream;
  stream.name = "s" + std::to_string(leg);
  LegSpec& from = stream.legs.emplace_back();
  from.name = "A";
  from.port = leg;
  from.to = {group_of(leg, 0), kUdpPort};
  stream.failover.max_rate_pps = most_pps;
  stream.unicasts.push_back({.name = "homes", .port = out, .max_clients = clients});
  return stream;
}

void TimedFeed::advance(Instant now) noexcept {
  come = static_cast<std::uint64_t>(static_cast<double>(now.ns) * 1e-9 * rate_);
  const std::uint64_t waiting = come - taken - lost;
  if (waiting > kRing) lost += waiting - kRing;
  most_waiting =
      std::max(most_waiting, static_cast<unsigned>(std::min<std::uint64_t>(waiting, kRing)));
}

unsigned TimedFeed::receive(std::span<rte_mbuf*> burst) noexcept {
  const std::uint64_t waiting = come - taken - lost;
  const unsigned count = generator_.receive(0, burst.first(std::min(waiting, burst.size())));
  taken += count;
  return count;
}

}  // namespace castgate::bench
