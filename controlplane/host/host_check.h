// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dataplane/contract/spec.h"

namespace castgate {

// One line: what this host lacks for the file, and the cure.
struct HostComplaint {
  bool is_error = true;  // else a warning
  std::string key;       // dotted path of the value that asks too much
  std::string what;
  bool operator==(const HostComplaint&) const = default;
};

// Compares a file with the host it is to run on: cores, memory, devices. Opens no device.
// `root` stands for "/": a test gives a tree of its own.
std::vector<HostComplaint> check_host(const Spec& spec, const std::filesystem::path& root = "/");

}  // namespace castgate
