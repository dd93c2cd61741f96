// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dataplane/contract/spec.h"

namespace castgate {

// What was looked at, what is there, and the command that mends it.
struct HostFinding {
  enum class State : std::uint8_t {
    Good,
    Advice,  // castgate runs, but not as well as it could
    Lack,    // castgate does not run, or not this file
  };
  State state = State::Good;
  std::string subject;  // "cores", "hugepages", "0000:3b:00.0"
  std::string found;
  std::string cure;  // empty where there is nothing to do

  bool operator==(const HostFinding&) const = default;
};

// Looks at the host: what a file needs where one is given, else what any needs. Opens no device and
// changes nothing. `root` stands for "/": a test gives a tree of its own.
std::vector<HostFinding> examine_host(const Spec* spec, const std::filesystem::path& root = "/");

}  // namespace castgate
