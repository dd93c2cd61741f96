// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "dataplane/base/check.h"
#include "pipelines/read_spec.h"

namespace castgate {
namespace {

enum class Endian : std::uint8_t { Big, Little };

LegSpec read_leg(const YamlNode::Entry& entry, const KeyPath& path, ReadContext& context) {
  LegSpec leg;
  leg.name = entry.key;
  Section section(*entry.value, path, context);
  leg.port = read_port_name(section, context);
  section.read("vlan", leg.vlan);
  section.read("from", leg.from);
  section.read("to", leg.to);
  section.read("offset", leg.offset);
  if (const YamlNode* open = section.child("open"))
    leg.open = read_open(*open, path.key("open"), leg, context);
  section.finish();
  return leg;
}

void read_field(Section& sequence, ReadContext& context, std::string_view key,
                SequenceField& field) {
  const YamlNode* node = sequence.child(key);
  if (node == nullptr) return;
  Section section(*node, sequence.path().key(key), context);
  Endian endian = Endian::Big;
  section.read("at", field.at);
  section.read("width", field.width);
  section.read("endian", endian);
  field.little = endian == Endian::Little;
  section.finish();
}

// sequence: rtp, or the same as a map: {format: rtp}
void read_sequence(Section& stream, ReadContext& context, SequenceSpec& sequence) {
  const YamlNode* node = stream.child("sequence");
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::Map) return stream.read("sequence", sequence.format);
  Section section(*node, stream.path().key("sequence"), context);
  section.read("format", sequence.format);
  section.read("overlap", sequence.overlap);
  read_field(section, context, "position", sequence.generic.position);
  read_field(section, context, "count", sequence.generic.count);
  read_field(section, context, "epoch", sequence.generic.epoch);
  section.finish();
}

void read_label(const YamlNode::Entry& entry, const KeyPath& path, ReadContext& context,
                StreamSpec& stream) {
  const KeyInfo* row = find_key("streams.*.labels");
  CG_CHECK(row != nullptr);
  const bool text = entry.value->kind == YamlNode::Kind::Text;
  const Decoded outcome = text ? decode(entry.value->text, *row, stream.labels[entry.key])
                               : Decoded(fail("expected text"));
  if (!outcome) context.complaints.error(entry.value->place, path.text, outcome.error().text);
}

}  // namespace

StreamSpec read_stream(const YamlNode::Entry& entry, const KeyPath& path, ReadContext& context) {
  StreamSpec stream;
  stream.name = entry.key;
  Section section(*entry.value, path, context);
  section.each("labels", Section::Keys::Names, [&](const auto& label, const KeyPath& at) {
    read_label(label, at, context, stream);
  });
  section.read("max_bitrate", stream.max_bitrate_bps);
  section.read("max_payload", stream.max_payload);
  section.each("legs", Section::Keys::Names, [&](const auto& leg, const KeyPath& at) {
    stream.legs.push_back(read_leg(leg, at, context));
  });
  section.read("join", stream.join);
  section.read("linger", stream.linger);
  read_sequence(section, context, stream.sequence);
  if (const YamlNode* failover = section.child("failover")) {
    stream.failover = read_failover(*failover, path.key("failover"), context);
  }
  if (const YamlNode* verify = section.child("verify")) {
    stream.verify = read_stream_verify(*verify, path.key("verify"), context);
  }

  if (const YamlNode* restamp = section.child("restamp")) {
    stream.restamp = read_restamp(*restamp, path.key("restamp"), context);
  }

  if (const YamlNode* monitor = section.child("monitor")) {
    stream.monitor = read_monitor(*monitor, path.key("monitor"), context);
  }
  section.each("outputs", Section::Keys::Names, [&](const auto& output, const KeyPath& at) {
    read_output(output, at, context, stream);
  });
  section.finish();
  // Those that protect alike stand together, as their packets come: renditions_of().
  const std::vector<ProtectSpec> renditions = renditions_of(stream);
  std::ranges::stable_sort(stream.outputs, {}, [&](const OutputSpec& output) {
    return std::ranges::find(renditions, output.protect) - renditions.begin();
  });
  return stream;
}

}  // namespace castgate
