// SPDX-License-Identifier: Apache-2.0
#include "dataplane/placement.h"

#include <algorithm>
#include <numeric>

#include "dataplane/contract/reload.h"

namespace castgate {
namespace {

// Packets a second that the stream costs its worker: every leg in, every output out.
std::uint64_t weight(const StreamSpec& stream) {
  return stream.failover.max_rate_pps * (stream.legs.size() + stream.outputs.size());
}

}  // namespace

Placement place(const Spec& spec, unsigned workers) {
  Placement placed{std::vector<std::uint8_t>(spec.streams.size()),
                   std::vector<std::uint8_t>(spec.ports.size())};
  std::vector<std::size_t> order(spec.streams.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](std::size_t s) { return weight(spec.streams[s]); });
  std::vector<std::uint64_t> load(workers);
  std::vector<std::vector<std::uint64_t>> wants(spec.ports.size(),
                                                std::vector<std::uint64_t>(workers));
  for (const std::size_t s : order) {
    const auto least = static_cast<std::size_t>(std::ranges::min_element(load) - load.begin());
    placed.worker_of_stream[s] = static_cast<std::uint8_t>(least);
    load[least] += weight(spec.streams[s]);
    for (const LegSpec& leg : spec.streams[s].legs) {
      wants[leg.port][least] += spec.streams[s].failover.max_rate_pps;
    }
  }
  for (std::size_t p = 0; p < spec.ports.size(); ++p) {
    const auto most = std::ranges::max_element(wants[p]) - wants[p].begin();
    placed.owner_of_port[p] = static_cast<std::uint8_t>(most);
  }
  return placed;
}

void place_new_streams(const Spec& before, const Spec& after, unsigned workers, Placement& placed) {
  std::vector<std::uint64_t> load(workers);
  placed.worker_of_stream.resize(after.streams.size());
  const auto comes = [&](std::size_t s) {
    return change_of(before, after, s) == StreamChange::Added;
  };
  for (std::size_t s = 0; s < after.streams.size(); ++s) {
    if (!comes(s)) load[placed.worker_of_stream[s]] += weight(after.streams[s]);
  }
  for (std::size_t s = 0; s < after.streams.size(); ++s) {
    if (!comes(s)) continue;
    const auto least = std::ranges::min_element(load) - load.begin();
    placed.worker_of_stream[s] = static_cast<std::uint8_t>(least);
    load[static_cast<std::size_t>(least)] += weight(after.streams[s]);
  }
}

}  // namespace castgate
