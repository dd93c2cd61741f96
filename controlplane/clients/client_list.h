// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/error.h"
#include "dataplane/contract/runtime.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// The clients of a replay, as comma-separated text. The first line names the columns, in any order:
//   stream,transport,address,udp_port,join_at,leave_at
// `stream`: its name, or stream.output. `transport`: udp. `join_at`, `leave_at`: a duration after
// the first packet; empty: at once, never. Lines that are empty or begin with # are passed over.
// Clients of an output that isolates them have keys by their numbers in the list (replay_session).
// Next hops are the file's (ports.*.neighbours). An error names `name` and the line.
Result<std::vector<ReplayClient>> read_client_list(const Spec& spec, std::string_view text,
                                                   const std::string& name);
// The same from a file, of at most 64 MiB.
Result<std::vector<ReplayClient>> read_client_file(const Spec& spec, const std::string& path);

}  // namespace castgate
