// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "dataplane/base/error.h"

namespace castgate {

// The file becomes this text, mode 0600, all of it or not at all, and stays so after a power cut;
// waits for the disk. Beside it, PATH.new is used.
Result<void> write_durably(const std::string& path, std::string_view text);

}  // namespace castgate
