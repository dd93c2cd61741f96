// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "dataplane/base/error.h"
#include "dataplane/base/protect/key_bytes.h"

namespace castgate {

// A key of `length` bytes out of a file that only its owner may read: one line, hexadecimal or
// base64, blanks and what follows a # apart. Errors name the file and never what is in it.
Result<SharedKey> read_key_file(const std::string& path, std::size_t length);

// The same of a file's text.
Result<SharedKey> parse_key(std::string_view text, std::size_t length);

}  // namespace castgate
