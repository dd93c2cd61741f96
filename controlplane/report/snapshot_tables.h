// SPDX-License-Identifier: Apache-2.0
// The tables a person reads, one function each, shared by replay, run, show and top.
#pragma once

#include <string>

#include "controlplane/report/table.h"
#include "dataplane/base/instant.h"
#include "dataplane/contract/snapshot.h"

namespace castgate {

// `span` is what the streams lasted: with it the longest gap is told in milliseconds too, and the
// grade of protection over that span is a column. Zero: unknown, as in a running appliance.
Table streams_table(const Snapshot& snapshot, Nanoseconds span = Nanoseconds{0});
// Streams of which every leg lost something: what they lost together, and would have by chance.
Table losses_table(const Snapshot& snapshot);
Table legs_table(const Snapshot& snapshot);
Table outputs_table(const Snapshot& snapshot);
Table ports_table(const Snapshot& snapshot);
Table workers_table(const Snapshot& snapshot);
Table drops_table(const DropCounts& drops);  // empty where nothing was dropped

std::string ledger_line(const Ledger& ledger);  // no newline

}  // namespace castgate
