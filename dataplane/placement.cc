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

using Load = std::vector<std::uint64_t>;  // by worker

// Until the stream has as many workers for its clients as it asks for, or there are no more.
void add_helpers(const StreamSpec& stream, unsigned own, Load& load, FanHelpers& helpers) {
  const std::size_t wanted = std::min<std::size_t>(fan_parts(stream), load.size()) - 1;
  helpers.resize(std::min(helpers.size(), wanted));
  for (const std::uint8_t helper : helpers) load[helper] += stream.failover.max_rate_pps;
  while (helpers.size() < wanted) {
    std::size_t best = load.size();
    for (std::size_t w = 0; w < load.size(); ++w) {
      if (w == own || std::ranges::find(helpers, w) != helpers.end()) continue;
      if (best == load.size() || load[w] < load[best]) best = w;
    }
    load[best] += stream.failover.max_rate_pps;
    helpers.push_back(static_cast<std::uint8_t>(best));
  }
}

}  // namespace

Placement place(const Spec& spec, unsigned workers) {
  Placement placed{std::vector<std::uint8_t>(spec.streams.size()),
                   std::vector<std::uint8_t>(spec.ports.size()),
                   std::vector<FanHelpers>(spec.streams.size())};
  std::vector<std::size_t> order(spec.streams.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](std::size_t s) { return weight(spec.streams[s]); });
  Load load(workers);
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
  for (const std::size_t s : order) {
    add_helpers(spec.streams[s], placed.worker_of_stream[s], load, placed.helpers_of_stream[s]);
  }
  return placed;
}

void place_new_streams(const Spec& before, const Spec& after, unsigned workers, Placement& placed) {
  Load load(workers);
  placed.worker_of_stream.resize(after.streams.size());
  placed.helpers_of_stream.resize(after.streams.size());
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
  for (std::size_t s = 0; s < after.streams.size(); ++s) {
    if (comes(s)) placed.helpers_of_stream[s].clear();
    add_helpers(after.streams[s], placed.worker_of_stream[s], load, placed.helpers_of_stream[s]);
  }
}

}  // namespace castgate
