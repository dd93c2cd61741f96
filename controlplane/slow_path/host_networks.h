// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "controlplane/slow_path/reports.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// By place in Spec::streams. Empty: all are.
using WantedStreams = std::function<bool(std::size_t stream)>;

// A network that a port is in, and what the streams' legs want from it.
struct HostNetwork {
  unsigned port = 0;
  NetworkSpec spec;
  std::vector<JoinedGroup> groups4;
  std::vector<JoinedGroup> groups6;

  bool wants_v6() const noexcept;
};

// Every network of every port; a VLAN that only legs name becomes one without addresses. A group
// that one leg wants from any source and another from one is wanted from any. Legs of streams that
// nobody wants want nothing.
std::vector<HostNetwork> host_networks(const Spec& spec, const WantedStreams& wanted = {});

bool has_addresses(const PortSpec& port) noexcept;
// An own address of a port that Linux has not itself.
bool is_of_twin(const Spec& spec, const IpAddress& address) noexcept;

// red, or red.43
std::string name_of(const Spec& spec, const HostNetwork& network);

}  // namespace castgate
