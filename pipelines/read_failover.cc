// SPDX-License-Identifier: Apache-2.0
#include "pipelines/read_spec.h"

namespace castgate {

FailoverSpec read_failover(const YamlNode& node, const KeyPath& path, ReadContext& context) {
  FailoverSpec failover;
  Section section(node, path, context);
  section.read("selection", failover.selection);
  section.read("release", failover.release);
  section.read("max_skew", failover.max_skew);
  section.read("max_rate", failover.max_rate_pps);
  section.read("reorder_depth", failover.reorder_depth);
  section.read("playout_delay", failover.playout_delay);
  section.read("epoch_hold", failover.epoch_hold);
  section.read("continuity", failover.continuity);
  section.finish();
  return failover;
}

}  // namespace castgate
