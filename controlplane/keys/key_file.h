// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/error.h"
#include "dataplane/contract/protect_spec.h"

namespace castgate {

// Keys of `length` bytes out of a file that only its owner may read: a line each, hexadecimal or
// base64, blanks and what follows a # apart. Before it may stand its epoch and a colon; else it is
// the one after the line before, and of the first 1. At least one key, by ascending epochs. Errors
// name the file, the line, and never what is in it.
Result<std::vector<EpochKey>> read_key_file(const std::string& path, std::size_t length);

// The same of a file's text.
Result<std::vector<EpochKey>> parse_keys(std::string_view text, std::size_t length);

}  // namespace castgate
