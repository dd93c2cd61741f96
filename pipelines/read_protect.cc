// SPDX-License-Identifier: Apache-2.0
#include "pipelines/read_spec.h"

namespace castgate {
namespace {

InnerHeaders read_inner(Section& protect, const StreamSpec& stream, ReadContext& context) {
  InnerHeaders inner;
  if (!stream.legs.empty()) {
    const LegSpec& first = stream.legs.front();
    inner.to = first.to;
    if (first.from) inner.source = *first.from;
  }
  if (const YamlNode* node = protect.child("inner")) {
    Section section(*node, protect.path().key("inner"), context);
    section.read("to", inner.to);
    section.read("source", inner.source);
    section.read("source_port", inner.source_port);
    section.finish();
  }
  if (inner.source_port == 0) inner.source_port = inner.to.udp_port;
  return inner;
}

ProtectSpec read_one(const YamlNode& node, const KeyPath& path, const StreamSpec& stream,
                     bool& encapsulated, ReadContext& context) {
  ProtectSpec protect;
  Section section(node, path, context);
  section.read("profile", protect.profile);
  section.read("backend", protect.backend);
  section.read("isolation", protect.isolation);
  section.read("key_bits", protect.key_bits);
  section.read("tag_bits", protect.tag_bits);
  section.read("mki_bytes", protect.mki_bytes);
  section.read("max_packets", protect.max_packets);
  section.read("rekey_packets", protect.rekey_packets);
  section.read("max_time", protect.max_time);
  section.read("rekey_time", protect.rekey_time);
  section.read("spi", protect.spi);
  section.read("esn", protect.esn);
  section.read("udp_encapsulation", encapsulated);
  const InnerHeaders inner = read_inner(section, stream, context);
  if (protect.is_esp()) protect.inner = inner;
  section.read("key_file", protect.key_file);
  section.finish();
  return protect;
}

}  // namespace

void read_protect(Section& section, ReadContext& context, const StreamSpec& stream,
                  OutputSpec& output) {
  const YamlNode* node = section.child("protect");
  if (node == nullptr) return;
  bool encapsulated = false;
  ProtectSpec& protect = output.protect;
  protect = read_one(*node, section.path().key("protect"), stream, encapsulated, context);
  output.raw_esp = protect.is_esp() && !encapsulated;
  if (!protect.is_esp() || protect.profile == ProtectProfile::EspTunnel) return;
  protect.inner = {.to = output.to,
                   .source = output.source,
                   .source_port = output.source_port != 0 ? output.source_port : output.to.udp_port,
                   .ttl = output.ttl};
}

void read_protect(Section& section, ReadContext& context, const StreamSpec& stream,
                  UnicastSpec& output) {
  const YamlNode* node = section.child("protect");
  if (node == nullptr) return;
  bool encapsulated = true;
  const KeyPath path = section.path().key("protect");
  output.protect = read_one(*node, path, stream, encapsulated, context);
  if (encapsulated || !output.protect.is_esp()) return;
  context.complaints.error(node->place, path.key("udp_encapsulation").text,
                           "clients are reached by UDP alone: leave it out, or true");
}

}  // namespace castgate
