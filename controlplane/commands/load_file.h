// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "pipelines/read_spec.h"

namespace castgate {

// Reads a pipeline file and the keys that it names, and prints every complaint on stderr. Names of
// key files that are no absolute paths are looked for in `keys`, or beside the file where that is
// empty.
Reading load_file(const std::string& path, const std::string& keys = "");

// Prints what this host lacks for the file, each with its place in it. False where an error stands
// in the way.
bool host_serves(const std::string& path, const Reading& reading);

}  // namespace castgate
