// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace castgate {

// `text` with U+FFFD for what is not UTF-8: a device's name may hold any bytes.
std::string valid_utf8(const std::string& text);

}  // namespace castgate
