// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "pipelines/read_spec.h"

namespace castgate {

// Reads a pipeline file and prints every complaint about it on stderr.
Reading load_file(const std::string& path);

// Prints what this host lacks for the file, each with its place in it. False where an error stands
// in the way.
bool host_serves(const std::string& path, const Reading& reading);

}  // namespace castgate
