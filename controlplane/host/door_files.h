// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "controlplane/host/host_check.h"

namespace castgate {

// Reads the files that doors name as a start would: tokens, certificate and key. What of them will
// not do, never what they hold.
std::vector<HostComplaint> check_door_files(const DoorsSpec& doors);

}  // namespace castgate
