// SPDX-License-Identifier: Apache-2.0
#include "pipelines/read_spec.h"

namespace castgate {

OutputSpec read_output(const YamlNode::Entry& entry, const KeyPath& path, ReadContext& context,
                       const SequenceSpec& sequence) {
  OutputSpec output;
  output.name = entry.key;
  Section section(*entry.value, path, context);
  output.port = read_port_name(section, context);
  section.read("vlan", output.vlan);
  section.read("to", output.to);
  section.read("source", output.source);
  section.read("source_port", output.source_port);
  // No number betrays a looped copy of such a stream: its TTL must end it.
  if (sequence.format == SequenceFormat::Fingerprint) output.ttl = 0;
  section.read("ttl", output.ttl);
  section.read("dscp", output.dscp);
  section.finish();
  return output;
}

}  // namespace castgate
