// SPDX-License-Identifier: Apache-2.0
#include "pipelines/read_spec.h"

namespace castgate {

MonitorSpec read_monitor(const YamlNode& node, const KeyPath& path, ReadContext& context) {
  MonitorSpec monitor;
  Section section(node, path, context);
  section.read("degrade_loss", monitor.degrade_loss_ppm);
  section.read("latent_error_period", monitor.latent_error_period);
  section.read("latent_error_difference", monitor.latent_error_difference_ppm);
  section.read("down_after", monitor.down_after);
  section.finish();
  return monitor;
}

}  // namespace castgate
