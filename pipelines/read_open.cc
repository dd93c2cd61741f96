// SPDX-License-Identifier: Apache-2.0
#include "pipelines/read_spec.h"

namespace castgate {

OpenSpec read_open(const YamlNode& node, const KeyPath& path, ReadContext& context) {
  OpenSpec open;
  Section section(node, path, context);
  section.read("profile", open.profile);
  section.read("key_bits", open.key_bits);
  section.read("tag_bits", open.tag_bits);
  section.read("replay_window", open.replay_window);
  section.read("roc", open.roc);
  section.read("key_file", open.key_file);
  section.finish();
  return open;
}

}  // namespace castgate
