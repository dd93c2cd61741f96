// SPDX-License-Identifier: Apache-2.0
#include "pipelines/read_spec.h"

namespace castgate {
namespace {

void read_inner(Section& open, ReadContext& context, OpenInner& inner) {
  const YamlNode* node = open.child("inner");
  if (node == nullptr) return;
  Section section(*node, open.path().key("inner"), context);
  section.read("to", inner.to);
  section.read("source", inner.source);
  section.finish();
}

}  // namespace

OpenSpec read_open(const YamlNode& node, const KeyPath& path, const LegSpec& leg,
                   ReadContext& context) {
  OpenSpec open;
  Section section(node, path, context);
  section.read("profile", open.profile);
  section.read("key_bits", open.key_bits);
  section.read("tag_bits", open.tag_bits);
  section.read("mki_bytes", open.mki_bytes);
  section.read("replay_window", open.replay_window);
  section.read("roc", open.roc);
  section.read("spi", open.spi);
  section.read("esn", open.esn);
  section.read("udp_encapsulation", open.udp_encapsulation);
  read_inner(section, context, open.inner);
  section.read("key_file", open.key_file);
  section.finish();
  // The addresses outside are those inside.
  if (open.profile == OpenProfile::EspTunnelPreserve)
    open.inner = {.to = leg.to, .source = leg.from};
  if (open.profile == OpenProfile::EspTransport) open.inner = {.to = leg.to, .source = {}};
  return open;
}

}  // namespace castgate
