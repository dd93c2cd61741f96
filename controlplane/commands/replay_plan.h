// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "controlplane/commands/commands.h"
#include "dataplane/base/error.h"
#include "dataplane/contract/runtime.h"

namespace castgate {

// Which capture belongs to which port, read from PORT=CAPTURE arguments, and what is ordered when.
struct ReplayArguments {
  std::vector<ReplayFile> in;
  std::vector<ReplayFile> out;
  std::vector<ReplayFile> expect;
  std::vector<ReplayCommand> commands;  // in the order of their times
  std::vector<ReplayClient> clients;
};

// Fails on an unknown port (naming the known ones), a port written twice, and a capture that would
// be overwritten while it is read.
Result<ReplayArguments> read_replay_arguments(const Spec& spec, const ReplayOptions& options);

}  // namespace castgate
