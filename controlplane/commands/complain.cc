// SPDX-License-Identifier: Apache-2.0
#include "controlplane/commands/commands.h"
#include "controlplane/report/tell.h"

namespace castgate {

int complain(const std::string& text) {
  tell("castgate: {}\n", text);
  return kExitBadInput;
}

}  // namespace castgate
