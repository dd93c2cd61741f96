// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/client_ranking.h"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace castgate {
namespace {

struct Place {
  double most = 0;
  std::size_t at = 0;
};

double weight(const ClientEntry& client, const ClientCounters& counters, ClientRank by,
              Instant now) {
  switch (by) {
    case ClientRank::Rate: {
      const double seconds = std::chrono::duration<double>(now - client.since).count();
      return seconds > 0 ? static_cast<double>(counters.bytes) / seconds : 0;
    }
    case ClientRank::Drops:
      return static_cast<double>(std::reduce(counters.drops.begin(), counters.drops.end()));
    case ClientRank::Packets:
      break;
  }
  return static_cast<double>(counters.packets);
}

}  // namespace

std::vector<CountedClient> choose(const ClientTable& clients, const ClientChoice& choice,
                                  Instant now) {
  std::vector<ClientEntry> all = clients.all();
  const std::size_t top = std::min(choice.top, all.size());
  std::vector<Place> places(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    places[i].at = i;
    if (choice.by) places[i].most = weight(all[i], clients.counters(all[i]), *choice.by, now);
  }
  const auto end_of_top = places.begin() + static_cast<std::ptrdiff_t>(top);
  std::ranges::partial_sort(places, end_of_top, [](const Place& a, const Place& b) {
    return a.most != b.most ? a.most > b.most : a.at < b.at;
  });
  std::vector<CountedClient> chosen;
  chosen.reserve(top);
  for (auto place = places.begin(); place != end_of_top; ++place) {
    const ClientCounters counters = clients.counters(all[place->at]);
    chosen.push_back({std::move(all[place->at]), counters});
  }
  return chosen;
}

}  // namespace castgate
