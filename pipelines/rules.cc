// SPDX-License-Identifier: Apache-2.0
#include "pipelines/rules.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace castgate {
namespace {

void check_counts(RuleContext& rules, const StreamSpec& stream) {
  const std::string path = path_of(stream);
  if (rules.given(path + ".legs") && stream.legs.empty()) {
    rules.error(path + ".legs", "a stream needs a leg");
  }
  if (stream.legs.size() > kMaxLegs) {
    rules.error(path + ".legs", fmt::format("{} legs: at most {}", stream.legs.size(), kMaxLegs));
  }
  if (rules.given(path + ".outputs") && stream.outputs.empty() && stream.unicasts.empty()) {
    rules.error(path + ".outputs", "a stream needs an output");
  }
  if (stream.outputs.size() > kMaxOutputs) {
    rules.error(path + ".outputs",
                fmt::format("{} outputs: at most {}", stream.outputs.size(), kMaxOutputs));
  }
  if (stream.unicasts.size() > kMaxUnicasts) {
    rules.error(path + ".outputs", fmt::format("{} unicast outputs: at most {}",
                                               stream.unicasts.size(), kMaxUnicasts));
  }
}

}  // namespace

void RuleContext::error(const std::string& path, std::string what) {
  context_.complaints.error(context_.places.find(path), path, std::move(what));
}

void RuleContext::warn(const std::string& path, std::string what) {
  context_.complaints.warn(context_.places.find(path), path, std::move(what));
}

void check_rules(const Spec& spec, ReadContext& context) {
  RuleContext rules(spec, context);
  check_appliance(rules);
  check_doors(rules);
  check_ports(rules);
  for (const StreamSpec& stream : spec.streams) {
    check_counts(rules, stream);
    check_demand(rules, stream);
    for (const LegSpec& leg : stream.legs) {
      check_leg(rules, stream, leg);
      check_open(rules, stream, leg);
    }
    check_failover(rules, stream);
    check_offsets(rules, stream);
    check_restamp(rules, stream);
    check_monitor(rules, stream);
    for (const OutputSpec& output : stream.outputs) check_output(rules, stream, output);
    for (const UnicastSpec& unicast : stream.unicasts) check_unicast(rules, stream, unicast);
  }
  check_protect(rules);
  check_port_rates(rules);
  check_loops(rules);
}

std::string path_of(const PortSpec& port) {
  return "ports." + path_step(port.name);
}

std::string path_of(const StreamSpec& stream) {
  return "streams." + path_step(stream.name);
}

std::string path_of(const StreamSpec& stream, const LegSpec& leg) {
  return path_of(stream) + ".legs." + path_step(leg.name);
}

std::string path_of(const StreamSpec& stream, const UnicastSpec& unicast) {
  return path_of(stream) + ".outputs." + path_step(unicast.name);
}

std::string path_of(const StreamSpec& stream, const OutputSpec& output) {
  return path_of(stream) + ".outputs." + path_step(output.name);
}

std::optional<std::string_view> source_fault(const IpAddress& address) noexcept {
  constexpr auto kBroadcast = IpAddress::v4(0xffffffff);
  if (address.is_multicast()) return "a multicast group is no source";
  if (address.is_loopback()) return "a loopback address never leaves its machine";
  if (address.is_unspecified()) return "the unspecified address is no source";
  if (address == kBroadcast) return "the broadcast address is no source";
  return {};
}

bool is_link_local_group(const IpAddress& group) noexcept {
  constexpr std::uint32_t kFirst24Bits = 0xffffff00;
  constexpr std::uint32_t kLocal = 0xe0000000;  // 224.0.0.0/24, RFC 5771 4
  if (group.is_v4()) return (group.v4_host_order() & kFirst24Bits) == kLocal;
  return group.is_multicast() && (group.bytes()[1] & 0x0f) <= 2;  // RFC 4291 2.7
}

}  // namespace castgate
