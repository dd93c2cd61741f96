// SPDX-License-Identifier: Apache-2.0
#include "controlplane/commands/load_file.h"

#include <filesystem>

#include "controlplane/keys/key_loader.h"
#include "controlplane/report/tell.h"

namespace castgate {

Reading read_file(const std::string& path, const std::string& keys) {
  Reading reading = read_spec(path);
  load_keys(reading, path,
            keys.empty() ? std::filesystem::path(path).parent_path().string() : keys);
  return reading;
}

Reading load_file(const std::string& path, const std::string& keys) {
  Reading reading = read_file(path, keys);
  for (const Complaint& error : reading.errors) tell("{}\n", error.to_string());
  for (const Complaint& warning : reading.warnings) tell("{}\n", warning.to_string());
  return reading;
}

std::vector<Complaint> lacks_for(const std::string& path, const Reading& reading,
                                 const std::vector<HostComplaint>& lacks) {
  std::vector<Complaint> complaints;
  complaints.reserve(lacks.size());
  for (const HostComplaint& lack : lacks) {
    complaints.push_back({.severity = lack.is_error ? Severity::Error : Severity::Warning,
                          .file = path,
                          .place = reading.places.find(lack.key),
                          .key = lack.key,
                          .what = lack.what});
  }
  return complaints;
}

bool host_serves(const std::string& path, const Reading& reading) {
  bool serves = true;
  for (const Complaint& lack : lacks_for(path, reading, check_host(reading.spec))) {
    if (lack.severity == Severity::Error) serves = false;
    tell("{}\n", lack.to_string());
  }
  return serves;
}

}  // namespace castgate
