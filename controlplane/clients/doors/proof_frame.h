// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/clients/client_id.h"
#include "dataplane/contract/clients.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// The payload that asks whoever receives it to bring back the nonce: "castgate-proof/1 ", 32 hex
// digits, a new line.
std::string proof_payload(const ClientId& nonce);

struct ProofLink {
  MacAddress own;  // the port's
  MacAddress next_hop;
};

// An Ethernet frame that goes the way of the client's packets, and comes from where they do.
std::vector<std::byte> proof_frame(const Spec& spec, const ClientRoute& route,
                                   const ProofLink& link, std::string_view payload);

}  // namespace castgate
