// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>

#include "pipelines/read_spec.h"

namespace castgate {
namespace {

VerifySpec read_verify(const YamlNode& node, const KeyPath& path, ReadContext& context) {
  VerifySpec verify;
  Section section(node, path, context);
  section.read("ip_checksum", verify.ip_checksum);
  section.read("udp_checksum", verify.udp_checksum);
  section.read("mac", verify.mac);
  section.finish();
  return verify;
}

void read_vlan(const YamlNode::Entry& entry, const KeyPath& path, ReadContext& context,
               PortSpec& port) {
  NetworkSpec network;
  const auto tags = VlanTags::parse(entry.key);
  if (!tags) {
    return context.complaints.error(entry.place, path.text,
                                    "a VLAN is 1 to 4094: 43, or 100.43 for QinQ");
  }
  if (std::ranges::find(port.networks, *tags, &NetworkSpec::tags) != port.networks.end()) {
    return context.complaints.error(entry.place, path.text, "this VLAN was given before");
  }
  network.tags = *tags;
  Section section(*entry.value, path, context);
  section.read_list("addresses", network.addresses);
  section.read("igmp", network.igmp);
  section.finish();
  port.networks.push_back(std::move(network));
}

void read_neighbour(const YamlNode::Entry& entry, const KeyPath& path, ReadContext& context,
                    PortSpec& port) {
  const auto address = IpAddress::parse(entry.key);
  if (!address) {
    return context.complaints.error(entry.place, path.text,
                                    fmt::format("{} is not an IP address", shown(entry.key)));
  }
  const auto mac = MacAddress::parse(entry.value->text);
  if (!mac || !mac->is_unicast()) {
    return context.complaints.error(
        entry.value->place, path.text,
        fmt::format("{} is not a station's MAC address: \"02:00:00:00:09:07\"",
                    shown(entry.value->text)));
  }
  if (!port.neighbours.emplace(*address, *mac).second) {
    context.complaints.error(entry.place, path.text, "this address was given before");
  }
}

}  // namespace

PortSpec read_port(const YamlNode::Entry& entry, const KeyPath& path, ReadContext& context) {
  PortSpec port;
  port.name = entry.key;
  Section section(*entry.value, path, context);
  section.read("device", port.device);
  section.read("mac", port.mac);
  section.read_list("addresses", port.networks[0].addresses);
  section.read("gateway", port.gateway);
  section.read("igmp", port.networks[0].igmp);
  section.read("mtu", port.mtu);
  section.read("max_rate", port.max_rate_bps);
  section.each("neighbours", Section::Keys::Any, [&](const auto& neighbour, const KeyPath& at) {
    read_neighbour(neighbour, at, context, port);
  });
  section.each("vlans", Section::Keys::Any,
               [&](const auto& vlan, const KeyPath& at) { read_vlan(vlan, at, context, port); });
  if (const YamlNode* verify = section.child("verify")) {
    port.verify = read_verify(*verify, path.key("verify"), context);
  }
  section.finish();
  return port;
}

}  // namespace castgate
