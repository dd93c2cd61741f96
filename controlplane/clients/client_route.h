// SPDX-License-Identifier: Apache-2.0
// From what a client says of itself to how its packets get there.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/error.h"
#include "dataplane/contract/clients.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Is it "stream.output"?
bool is_full_name(std::string_view name, std::string_view stream, std::string_view output) noexcept;
// Is it that, or the stream's name alone?
bool names_output(std::string_view name, std::string_view stream, std::string_view output) noexcept;

// A unicast output, by its stream's name and its own: "news1.homes", or "news1" where the stream
// has one only. The route's stream and unicast are set, nothing else; an error names what there is.
Result<ClientRoute> find_unicast(const Spec& spec, const std::string& name);

// `route` with the client's address and with ours: the output's own, or the port's first of the
// client's family in the output's network, or another output's of the stream. An error: the address
// is no host's, or we have none.
Result<ClientRoute> route_to(const Spec& spec, ClientRoute route, const Endpoint& client);

// Where the client's packets come from.
Endpoint source_of(const Spec& spec, const ClientRoute& route);

// The host on the port's own networks that gets packets for `to`: itself, or the gateway. None: no
// way leads there.
std::optional<IpAddress> next_hop_address(const Spec& spec, const ClientRoute& route);

// The MAC address of that host, where the file says it (ports.*.neighbours).
std::optional<MacAddress> static_next_hop(const Spec& spec, const ClientRoute& route);

}  // namespace castgate
