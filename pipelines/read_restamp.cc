// SPDX-License-Identifier: Apache-2.0
#include "pipelines/read_spec.h"

namespace castgate {

RestampSpec read_restamp(const YamlNode& node, const KeyPath& path, ReadContext& context) {
  RestampSpec restamp;
  Section section(node, path, context);
  section.read("rtp", restamp.rtp);
  section.read("payload_type", restamp.payload_type);
  section.read("clock_rate", restamp.clock_rate_hz);
  section.read("ssrc", restamp.ssrc);
  section.finish();
  return restamp;
}

}  // namespace castgate
