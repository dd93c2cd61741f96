// SPDX-License-Identifier: Apache-2.0
#include "pipelines/read_spec.h"

namespace castgate {

ApplianceSpec read_appliance(const YamlNode& node, const KeyPath& path, ReadContext& context) {
  ApplianceSpec appliance;
  Section section(node, path, context);
  section.read("name", appliance.name);
  section.read_list("worker_cores", appliance.worker_cores);
  section.read("control_core", appliance.control_core);
  section.read("hugepages", appliance.hugepages_bytes);
  section.read("polling", appliance.polling);
  section.read("state_dir", appliance.state_dir);
  section.read("control_socket", appliance.control_socket);
  section.read("event_log", appliance.event_log);
  section.read("crypto_device", appliance.crypto_device);
  section.read("max_streams", appliance.max_streams);
  section.read("max_clients", appliance.max_clients);
  section.read("max_frame", appliance.max_frame);
  section.finish();
  return appliance;
}

}  // namespace castgate
