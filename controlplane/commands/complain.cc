// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <fmt/format.h>

#include "controlplane/commands/commands.h"

namespace castgate {

int complain(const std::string& text) {
  fmt::print(stderr, "castgate: {}\n", text);
  return kExitBadInput;
}

}  // namespace castgate
