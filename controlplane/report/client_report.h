// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "controlplane/report/table.h"
#include "dataplane/contract/runtime.h"

namespace castgate {

// A client as an operator knows it, and what it got.
struct NamedClient {
  std::string stream;
  std::string output;
  std::string address;  // and UDP port
  ClientCounters counters;
  unsigned mtu = 0;  // of the way to it; 0: not told
};

std::vector<NamedClient> named_clients(const Spec& spec, const std::vector<ReplayClient>& clients,
                                       const std::vector<ClientCounters>& counters);
Table clients_table(const std::vector<NamedClient>& clients);
nlohmann::json client_json(const NamedClient& client);
// The reply to `show clients`, as a table.
std::string clients_text(const nlohmann::json& reply);
// The reply to `show doors`, as a table.
std::string doors_text(const nlohmann::json& reply);
nlohmann::json clients_json(const std::vector<NamedClient>& clients);

}  // namespace castgate
