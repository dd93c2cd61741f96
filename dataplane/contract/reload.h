// SPDX-License-Identifier: Apache-2.0
// What may change while an appliance runs: its streams.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/failover/inherited.h"
#include "dataplane/base/instant.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Keys of what differs and takes effect only at the next start: `appliance.max_frame`, `ports.red`.
std::vector<std::string> restart_keys(const Spec& running, const Spec& wanted);

// Most streams that one run ever has a place for.
std::size_t stream_places(const Spec& spec) noexcept;

// `wanted` with every stream at the place that it has in `running`: a place that is given up stays
// vacant, a stream that comes takes one that was vacant before, or a new one at the end. Legs keep
// their numbers likewise, unless one before them goes and none comes.
Spec arranged(const Spec& running, const Spec& wanted);

enum class StreamChange : std::uint8_t { None, Added, Removed, Changed };

// Of one place, before and after; past the end is vacant.
StreamChange change_of(const Spec& before, const Spec& after, std::size_t stream);

// Legs are known by their names.
Inherited inherited(const StreamSpec& before, const StreamSpec& after);

// What a reload did.
struct ReloadReport {
  unsigned added = 0;
  unsigned removed = 0;
  unsigned changed = 0;
  unsigned unchanged = 0;
  Nanoseconds longest{0};  // that a worker did nothing else
};

}  // namespace castgate
