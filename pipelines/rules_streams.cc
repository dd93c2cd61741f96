// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>

#include "pipelines/rules.h"

namespace castgate {
namespace {

bool is_source_specific(const IpAddress& group) noexcept {
  const auto& b = group.bytes();
  if (group.is_v4()) return b[12] == 232;                                  // RFC 4607 1
  return b[0] == 0xff && (b[1] & 0xf0) == 0x30 && b[2] == 0 && b[3] == 0;  // ff3x::/32
}

void check_own_address(RuleContext& rules, const std::string& path, const LegSpec& leg) {
  const PortSpec& port = rules.spec().ports[leg.port];
  const NetworkSpec* network = find_network(port, leg.vlan);
  if (network == nullptr || network->addresses.empty()) {
    rules.warn(path, fmt::format("{} is no group, and port {} lists no addresses ({})",
                                 leg.to.address.to_string(), port.name, leg.vlan.to_string()));
    return;
  }
  const auto& own = network->addresses;
  if (std::ranges::find(own, leg.to.address, &IpPrefix::address) == own.end()) {
    rules.error(path, fmt::format("{} is neither a group nor an address of port {} ({})",
                                  leg.to.address.to_string(), port.name, leg.vlan.to_string()));
  }
}

void check_destination(RuleContext& rules, const std::string& path, const LegSpec& leg) {
  const IpAddress& to = leg.to.address;
  if (to.is_multicast()) {
    if (is_link_local_group(to)) {
      rules.warn(path, to.to_string() + " stays on its link and is flooded by every switch");
    }
    if (is_source_specific(to) && !leg.from) {
      rules.warn(path, to.to_string() + " is source-specific: networks deliver it with from: only");
    }
    return;
  }
  if (source_fault(to)) {
    rules.error(path, to.to_string() + " is neither a group nor an address of the port");
    return;
  }
  check_own_address(rules, path, leg);
}

// A warning: the source may be another machine's whose place we take.
void check_subnet(RuleContext& rules, const std::string& path, const OutputSpec& output) {
  const PortSpec& port = rules.spec().ports[output.port];
  const NetworkSpec* network = find_network(port, output.vlan);
  if (network == nullptr) return;
  bool comparable = false;
  for (const IpPrefix& prefix : network->addresses) {
    if (prefix.contains(output.source)) return;
    comparable = comparable || prefix.address.is_v4() == output.source.is_v4();
  }
  if (!comparable) return;
  rules.warn(path,
             fmt::format("{} is outside the networks of port {} ({}): receivers may refuse it "
                         "(reverse path)",
                         output.source.to_string(), port.name, output.vlan.to_string()));
}

void check_family(RuleContext& rules, const std::string& path, const IpAddress& source,
                  const IpAddress& to) {
  if (source.is_v4() == to.is_v4()) return;
  rules.error(
      path, fmt::format("{} and {} are not of one IP version", source.to_string(), to.to_string()));
}

}  // namespace

void check_leg(RuleContext& rules, const StreamSpec& stream, const LegSpec& leg) {
  const std::string path = path_of(stream, leg);
  const bool to = rules.given(path + ".to");
  if (leg.from) {
    if (const auto fault = source_fault(*leg.from)) {
      rules.error(path + ".from", std::string(*fault));
    } else if (to) {
      check_family(rules, path + ".from", *leg.from, leg.to.address);
    }
  }
  if (to && rules.given(path + ".port") && !rules.bad(path + ".vlan")) {
    check_destination(rules, path + ".to", leg);
  }
}

void check_output(RuleContext& rules, const StreamSpec& stream, const OutputSpec& output) {
  const std::string path = path_of(stream, output);
  const IpAddress& to = output.to.address;
  if (rules.given(path + ".to")) {
    if (!to.is_multicast()) {
      rules.error(path + ".to",
                  to.to_string() +
                      " is no group; to clients: unicast: {} instead of to:, and they "
                      "join (castgate join, doors.rest)");
    } else if (is_link_local_group(to)) {
      rules.warn(path + ".to",
                 to.to_string() + " stays on its link and is flooded by every switch");
    }
  }
  if (!rules.given(path + ".source")) return;
  if (const auto fault = source_fault(output.source)) {
    rules.error(path + ".source", std::string(*fault));
    return;
  }
  if (rules.given(path + ".to")) check_family(rules, path + ".source", output.source, to);
  if (rules.given(path + ".port") && !rules.bad(path + ".vlan")) {
    check_subnet(rules, path + ".source", output);
  }
}

}  // namespace castgate
