// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "controlplane/report/table.h"
#include "dataplane/base/instant.h"
#include "dataplane/contract/snapshot.h"

namespace castgate {

// What happened between two moments of one appliance, per second: packets and Mbit/s of each port,
// and of each stream its legs in, output, recoveries and losses. `between` is positive. A part that
// the earlier snapshot does not have, or that counts from zero again, is told from zero on.
Table port_rates_table(const Snapshot& before, const Snapshot& after, Nanoseconds between);
Table stream_rates_table(const Snapshot& before, const Snapshot& after, Nanoseconds between);

}  // namespace castgate
