// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controlplane/node/relay_answers.h"
#include "controlplane/node/relay_session.h"

namespace castgate {

struct Relay {
  std::string name;
  RelaySession session;
  std::optional<RelayClient> admitted;
  std::string said;  // of its state, to a person
};

std::vector<Relay> make_relays(const std::vector<RelaySession::Config>& configs);

// What keeps each of them from serving us, a line each.
std::string complaints_of(std::span<const Relay> relays);

}  // namespace castgate
