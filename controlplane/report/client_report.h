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
};

std::vector<NamedClient> named_clients(const Spec& spec, const std::vector<ReplayClient>& clients,
                                       const std::vector<ClientCounters>& counters);
Table clients_table(const std::vector<NamedClient>& clients);
nlohmann::json clients_json(const std::vector<NamedClient>& clients);

}  // namespace castgate
