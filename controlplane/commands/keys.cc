// SPDX-License-Identifier: Apache-2.0
#include "pipelines/keys.h"

#include <fmt/format.h>

#include "controlplane/commands/commands.h"

namespace castgate {

int keys_command(bool json) {
  fmt::print("{}", json ? keys_json() : reference_text());
  return kExitOk;
}

}  // namespace castgate
