// SPDX-License-Identifier: Apache-2.0
#include "pipelines/read_spec.h"

namespace castgate {
namespace {

// No number betrays a looped copy of such a stream: its TTL must end it.
bool is_fingerprint(const StreamSpec& stream) noexcept {
  return stream.sequence.format == SequenceFormat::Fingerprint;
}

// Clients say where they are, so that there is no `to`, and `source` may be the port's own.
UnicastSpec read_unicast(Section& section, const YamlNode& node, const StreamSpec& stream,
                         ReadContext& context) {
  UnicastSpec unicast;
  unicast.port = read_port_name(section, context);
  section.read("vlan", unicast.vlan);
  if (section.has("source")) {
    unicast.source.emplace();
    section.read("source", *unicast.source);
  }
  section.read("source_port", unicast.source_port);
  section.read("ttl", unicast.ttl);
  section.read("dscp", unicast.dscp);
  read_protect(section, context, stream, unicast);
  Section own(node, section.path().key("unicast"), context);
  own.read("max_clients", unicast.max_clients);
  own.read("fan_workers", unicast.fan_workers);
  own.read("copy_threshold", unicast.copy_threshold);
  own.read("max_rate", unicast.max_rate_bps);
  own.read("too_big", unicast.too_big);
  own.finish();
  return unicast;
}

}  // namespace

void read_output(const YamlNode::Entry& entry, const KeyPath& path, ReadContext& context,
                 StreamSpec& stream) {
  Section section(*entry.value, path, context);
  if (const YamlNode* node = section.child("unicast")) {
    UnicastSpec unicast = read_unicast(section, *node, stream, context);
    unicast.name = entry.key;
    if (is_fingerprint(stream) && !section.has("ttl")) unicast.ttl = 0;
    stream.unicasts.push_back(std::move(unicast));
    return section.finish();
  }
  OutputSpec output;
  output.name = entry.key;
  output.port = read_port_name(section, context);
  section.read("vlan", output.vlan);
  section.read("to", output.to);
  section.read("source", output.source);
  section.read("source_port", output.source_port);
  if (is_fingerprint(stream)) output.ttl = 0;
  section.read("ttl", output.ttl);
  section.read("dscp", output.dscp);
  read_protect(section, context, stream, output);
  section.finish();
  stream.outputs.push_back(std::move(output));
}

}  // namespace castgate
