// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "dataplane/base/address.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// The multicast Ethernet addresses that port `index` must receive, each once: the groups of its
// legs, and what the host stack behind the port needs to live: queries to all hosts and nodes, and
// neighbour solicitations for its IPv6 addresses (RFC 4291 2.7.1).
std::vector<MacAddress> groups_of_port(const Spec& spec, unsigned index);

}  // namespace castgate
