// SPDX-License-Identifier: Apache-2.0
#include "pipelines/read_spec.h"

namespace castgate {
namespace {

void read_switching(const YamlNode& node, const KeyPath& path, ReadContext& context,
                    SwitchingSpec& switching) {
  Section section(node, path, context);
  section.read("revertive", switching.revertive);
  section.read("hold_off", switching.hold_off);
  section.read("wait_to_restore", switching.wait_to_restore);
  section.read("degrade_loss", switching.degrade_loss_ppm);
  section.finish();
}

}  // namespace

FailoverSpec read_failover(const YamlNode& node, const KeyPath& path, ReadContext& context) {
  FailoverSpec failover;
  Section section(node, path, context);
  section.read("selection", failover.selection);
  section.read_list("order", failover.order);
  section.read("corrupt", failover.corrupt);
  if (const YamlNode* switching = section.child("switching")) {
    read_switching(*switching, path.key("switching"), context, failover.switching);
  }
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

StreamVerifySpec read_stream_verify(const YamlNode& node, const KeyPath& path,
                                    ReadContext& context) {
  StreamVerifySpec verify;
  Section section(node, path, context);
  section.read("mpeg_ts", verify.mpeg_ts);
  section.read("payload_type", verify.payload_type);
  section.read("content_check", verify.content_check);
  section.finish();
  return verify;
}

}  // namespace castgate
