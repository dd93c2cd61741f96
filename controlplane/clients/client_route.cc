// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/client_route.h"

#include <algorithm>
#include <fmt/format.h>

namespace castgate {
namespace {

const UnicastSpec& unicast_of(const Spec& spec, const ClientRoute& route) {
  return spec.streams[route.stream].unicasts[route.unicast];
}

bool is_broadcast(const IpPrefix& own, const IpAddress& to) noexcept {
  constexpr unsigned kLongest = 30;  // in longer ones each address is a host's
  if (!own.address.is_v4() || !own.contains(to) || own.length > kLongest) return false;
  const std::uint32_t hosts = UINT32_MAX >> own.length;
  const std::uint32_t host = to.v4_host_order() & hosts;
  return host == hosts || host == 0;
}

std::string known_unicasts(const Spec& spec) {
  std::string names;
  for (const StreamSpec& stream : spec.streams) {
    for (const UnicastSpec& unicast : stream.unicasts) {
      names += fmt::format("{}{}.{}", names.empty() ? "" : ", ", stream.name, unicast.name);
    }
  }
  return names.empty() ? "none" : names;
}

std::string fault_on(const PortSpec& port, const IpAddress& to) {
  for (const NetworkSpec& network : port.networks) {
    for (const IpPrefix& own : network.addresses) {
      if (own.address == to) return fmt::format("is port {}'s own", port.name);
      if (is_broadcast(own, to)) return fmt::format("is everybody in {}", own.to_string());
    }
  }
  return {};
}

// Why no client can be there; empty where one can.
std::string host_fault(const Spec& spec, const IpAddress& to) {
  if (to.is_multicast() || to.is_unspecified()) return "is no host's address";
  if (to.is_loopback()) return "is on loopback: packets leave by a port";
  constexpr std::uint32_t kFormerClassE = 0xf0000000;  // 255.255.255.255 among them
  if (to.is_v4() && to.v4_host_order() >= kFormerClassE) return "is no host's address";
  for (const PortSpec& port : spec.ports) {
    if (std::string fault = fault_on(port, to); !fault.empty()) return fault;
  }
  return {};
}

}  // namespace

bool is_full_name(std::string_view name, std::string_view stream,
                  std::string_view output) noexcept {
  return name.size() == stream.size() + 1 + output.size() && name.starts_with(stream) &&
         name[stream.size()] == '.' && name.ends_with(output);
}

bool names_output(std::string_view name, std::string_view stream,
                  std::string_view output) noexcept {
  return name == stream || is_full_name(name, stream, output);
}

Result<ClientRoute> find_unicast(const Spec& spec, const std::string& name) {
  ClientRoute route;
  unsigned found = 0;
  for (std::size_t s = 0; s < spec.streams.size(); ++s) {
    const StreamSpec& stream = spec.streams[s];
    if (!name.starts_with(stream.name)) continue;
    for (std::size_t u = 0; u < stream.unicasts.size(); ++u) {
      const bool whole = is_full_name(name, stream.name, stream.unicasts[u].name);
      if (!whole && name != stream.name) continue;
      route.stream = static_cast<std::uint16_t>(s);
      route.unicast = static_cast<std::uint16_t>(u);
      if (whole) return route;
      ++found;
    }
  }
  if (found == 1) return route;
  return fail(fmt::format(
      "'{}' {}; there are: {}", name,
      found == 0 ? "is no stream with a unicast output" : "has several unicast outputs: say which",
      known_unicasts(spec)));
}

Result<ClientRoute> route_to(const Spec& spec, ClientRoute route, const Endpoint& client) {
  const IpAddress& to = client.address;
  if (const std::string fault = host_fault(spec, to); !fault.empty()) {
    return fail(fmt::format("{} {}", to.to_string(), fault));
  }
  route.to = client;
  const UnicastSpec& unicast = unicast_of(spec, route);
  if (unicast.source) {
    if (unicast.source->is_v4() != to.is_v4()) {
      return fail(fmt::format("{} and our source {} are not of one IP version", to.to_string(),
                              unicast.source->to_string()));
    }
    route.source = *unicast.source;
    return route;
  }
  const PortSpec& port = spec.ports[unicast.port];
  if (const NetworkSpec* network = find_network(port, unicast.vlan)) {
    for (const IpPrefix& own : network->addresses) {
      if (own.address.is_v4() != to.is_v4()) continue;
      route.source = own.address;
      return route;
    }
  }
  for (const OutputSpec& output : spec.streams[route.stream].outputs) {
    if (output.source.is_v4() != to.is_v4()) continue;
    route.source = output.source;
    return route;
  }
  return fail(fmt::format("port {} ({}) has no {} address to send from: see addresses", port.name,
                          unicast.vlan.to_string(), to.is_v4() ? "IPv4" : "IPv6"));
}

Endpoint source_of(const Spec& spec, const ClientRoute& route) {
  const std::uint16_t own = unicast_of(spec, route).source_port;
  return {route.source, own != 0 ? own : spec.streams[route.stream].legs[0].to.udp_port};
}

std::optional<IpAddress> next_hop_address(const Spec& spec, const ClientRoute& route) {
  const UnicastSpec& unicast = unicast_of(spec, route);
  const PortSpec& port = spec.ports[unicast.port];
  const NetworkSpec* network = find_network(port, unicast.vlan);
  // Where no addresses are listed, whoever is a neighbour is reached as one.
  if (network == nullptr || network->addresses.empty()) return route.to.address;
  const auto holds = [&](const IpAddress& address) {
    return std::ranges::any_of(network->addresses,
                               [&](const IpPrefix& own) { return own.contains(address); });
  };
  if (holds(route.to.address)) return route.to.address;
  const bool gateway =
      port.gateway && holds(*port.gateway) && port.gateway->is_v4() == route.to.address.is_v4();
  return gateway ? port.gateway : std::nullopt;
}

std::optional<MacAddress> static_next_hop(const Spec& spec, const ClientRoute& route) {
  const auto hop = next_hop_address(spec, route);
  if (!hop) return std::nullopt;
  const auto& neighbours = spec.ports[unicast_of(spec, route).port].neighbours;
  const auto found = neighbours.find(*hop);
  return found == neighbours.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace castgate
