// SPDX-License-Identifier: Apache-2.0
// From a stream's spec to what its merge window and its verdict are made with.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/base/failover/merge_config.h"
#include "dataplane/base/offset/stream_offsets.h"
#include "dataplane/base/verdict/stream_verdict.h"
#include "dataplane/contract/spec.h"

namespace castgate {

SwitchConfig switch_config(const StreamSpec& stream);
// `tag`: handed back with what the window tells.
MergeConfig merge_config(const StreamSpec& stream, std::uint32_t tag);
// Does the stream need a Fingerprint?
bool asks_for_fingerprint(const StreamSpec& stream) noexcept;
std::vector<LegOffset> leg_offsets(const StreamSpec& stream);
OffsetConfig offset_config(const StreamSpec& stream);
// Null where nothing is asked for.
std::unique_ptr<StreamVerdict> stream_verdict(const StreamSpec& stream);

}  // namespace castgate
