// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dataplane/contract/snapshot.h"

namespace castgate {

// As the operator wrote them, without vacant places. An empty order: as they are.
Snapshot in_file_order(Snapshot snapshot, const std::vector<std::string>& order);

// One line for the service manager: "2 streams, 3 of 4 legs up".
std::string summary_of(const Snapshot& snapshot);

}  // namespace castgate
