// SPDX-License-Identifier: Apache-2.0
#include "controlplane/commands/load_file.h"

#include <filesystem>

#include "controlplane/host/host_check.h"
#include "controlplane/keys/key_loader.h"
#include "controlplane/report/tell.h"

namespace castgate {

Reading load_file(const std::string& path, const std::string& keys) {
  Reading reading = read_spec(path);
  load_keys(reading, path,
            keys.empty() ? std::filesystem::path(path).parent_path().string() : keys);
  for (const Complaint& error : reading.errors) tell("{}\n", error.to_string());
  for (const Complaint& warning : reading.warnings) tell("{}\n", warning.to_string());
  return reading;
}

bool host_serves(const std::string& path, const Reading& reading) {
  bool serves = true;
  for (const HostComplaint& lack : check_host(reading.spec)) {
    if (lack.is_error) serves = false;
    const Complaint complaint{.severity = lack.is_error ? Severity::Error : Severity::Warning,
                              .file = path,
                              .place = reading.places.find(lack.key),
                              .key = lack.key,
                              .what = lack.what};
    tell("{}\n", complaint.to_string());
  }
  return serves;
}

}  // namespace castgate
