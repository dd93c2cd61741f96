// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "dataplane/base/error.h"

namespace castgate {

// Reads a ledger of keys: lines of a key's name and a number in hexadecimal. A file that is not
// there has no lines. `each` says whether it can be; an error names the first line that cannot.
Result<void> read_key_lines(const std::string& path,
                            const std::function<bool(const std::string&, std::uint64_t)>& each);

// The ledger becomes these lines, durably, in a directory that is made where it is not there.
Result<void> write_key_lines(const std::string& path, const std::string& lines);

}  // namespace castgate
