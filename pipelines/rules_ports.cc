// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <ranges>

#include "pipelines/rules.h"

namespace castgate {
namespace {

using Seen = std::map<std::string, std::string>;  // what, and the port that has it

// Complains where another port has `what` already.
void claim(RuleContext& rules, Seen& seen, const std::string& what, const std::string& path) {
  const auto [earlier, fresh] = seen.emplace(what, path);
  if (!fresh) rules.error(path, fmt::format("{} is {}'s already", shown(what), earlier->second));
}

void check_device(RuleContext& rules, const PortSpec& port, Seen& devices) {
  const std::string path = path_of(port) + ".device";
  if (!rules.given(path)) return;
  // DPDK knows a virtual device by what stands before the first comma.
  claim(rules, devices, port.device.substr(0, port.device.find(',')), path);
}

std::string path_of_network(const PortSpec& port, const NetworkSpec& network) {
  const std::string path = path_of(port);
  if (network.tags.count() == 0) return path + ".addresses";
  return path + ".vlans." + path_step(network.tags.to_string()) + ".addresses";
}

void check_address(RuleContext& rules, const IpPrefix& prefix, const std::string& path) {
  if (const auto fault = source_fault(prefix.address)) {
    rules.error(path, fmt::format("{}: {}", prefix.to_string(), *fault));
  }
  if (prefix.length == 0) {
    rules.error(path, prefix.to_string() + ": a network's length is not 0");
  }
}

void check_addresses(RuleContext& rules, const PortSpec& port, Seen& addresses) {
  for (const NetworkSpec& network : port.networks) {
    const std::string path = path_of_network(port, network);
    for (const IpPrefix& prefix : network.addresses) {
      check_address(rules, prefix, path);
      claim(rules, addresses, prefix.address.to_string(), path);
    }
  }
}

void check_gateway(RuleContext& rules, const PortSpec& port) {
  if (!port.gateway) return;
  const std::string path = path_of(port) + ".gateway";
  bool reached = false;
  for (const NetworkSpec& network : port.networks) {
    for (const IpPrefix& prefix : network.addresses) {
      reached = reached || prefix.contains(*port.gateway);
      if (prefix.address == *port.gateway) rules.error(path, "is the port's own address");
    }
  }
  if (!reached) {
    rules.error(path, fmt::format("{} is in none of the port's networks: see addresses",
                                  port.gateway->to_string()));
  }
}

void check_macs(RuleContext& rules, const PortSpec& port) {
  const std::string path = path_of(port);
  if (port.mac && (!port.mac->is_unicast() || *port.mac == MacAddress{})) {
    rules.error(path + ".mac", port.mac->to_string() + " is not a station's MAC address");
  }
  for (const auto& address : port.neighbours | std::views::keys) {
    if (const auto fault = source_fault(address)) {
      rules.error(path + ".neighbours." + path_step(address.to_string()), std::string(*fault));
    }
  }
}

}  // namespace

void check_ports(RuleContext& rules) {
  const auto& ports = rules.spec().ports;
  if (rules.given("ports") && ports.empty()) {
    rules.error("ports", "no port: a manager without ports is not yet there");
  }
  if (ports.size() > kMaxPorts) {
    rules.error("ports", fmt::format("{} ports: at most {}", ports.size(), kMaxPorts));
  }
  Seen devices;
  Seen addresses;
  for (const PortSpec& port : ports) {
    check_device(rules, port, devices);
    check_addresses(rules, port, addresses);
    check_gateway(rules, port);
    check_macs(rules, port);
  }
}

}  // namespace castgate
