// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/relays.h"

#include <fmt/format.h>
#include <random>

#include "controlplane/node/receiver.h"

namespace castgate {

std::vector<Relay> make_relays(const std::vector<RelaySession::Config>& configs) {
  std::mt19937_64 random(unknown_seed());
  std::vector<Relay> relays;
  relays.reserve(configs.size());
  for (const auto& config : configs) {
    relays.push_back({config.place.authority(), RelaySession(config, random()), {}, {}});
  }
  return relays;
}

std::string complaints_of(std::span<const Relay> relays) {
  std::string all;
  for (const Relay& relay : relays) {
    const std::string& complaint = relay.session.complaint();
    all += fmt::format("\n  {}: {}", relay.name, complaint.empty() ? "no answer" : complaint);
  }
  return all;
}

}  // namespace castgate
