// SPDX-License-Identifier: Apache-2.0
#include "pipelines/read_spec.h"

namespace castgate {

ProtectSpec read_protect(const YamlNode& node, const KeyPath& path, ReadContext& context) {
  ProtectSpec protect;
  Section section(node, path, context);
  section.read("profile", protect.profile);
  section.read("key_bits", protect.key_bits);
  section.read("tag_bits", protect.tag_bits);
  section.read("max_packets", protect.max_packets);
  section.read("key_file", protect.key_file);
  section.finish();
  return protect;
}

}  // namespace castgate
