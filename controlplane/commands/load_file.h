// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "controlplane/host/host_check.h"
#include "pipelines/read_spec.h"

namespace castgate {

// Reads a pipeline file and the keys that it names, and prints every complaint on stderr. Names of
// key files that are no absolute paths are looked for in `keys`, or beside the file where that is
// empty.
Reading load_file(const std::string& path, const std::string& keys = "");

// The same without a word.
Reading read_file(const std::string& path, const std::string& keys = "");

// What this host lacks for the file, each with its place in it.
std::vector<Complaint> lacks_for(const std::string& path, const Reading& reading,
                                 const std::vector<HostComplaint>& lacks);

// Prints that. False where an error stands in the way.
bool host_serves(const std::string& path, const Reading& reading);

}  // namespace castgate
