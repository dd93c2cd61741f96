// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "pipelines/read_spec.h"

namespace castgate {

// Reads the key files that a good reading names; names that are no absolute paths are looked for in
// `directory`. What is wrong is added to the reading's errors. `file`: what complaints call it.
void load_keys(Reading& reading, const std::string& file, const std::string& directory);

}  // namespace castgate
