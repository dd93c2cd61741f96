// SPDX-License-Identifier: Apache-2.0
// What the counters of a stream say of its legs: pure functions of two snapshots and the time
// between them. Each gives one finding per leg that is not as it should be.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/alarms/alarm.h"
#include "dataplane/contract/snapshot.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// One stream at two moments. `span` is positive.
struct StreamStretch {
  const StreamSpec& spec;
  const StreamSnapshot& before;
  const StreamSnapshot& after;
  Nanoseconds span;

  std::uint64_t positions() const noexcept;  // that the stream went on by
};

using Findings = std::vector<Finding>;

// IEEE 802.1CB 7.4.4 leg by leg: what the stream moved on by, less what the leg brought in time,
// is beyond latent_error_difference and what may be under way. Over latent_period().
Findings find_latent_errors(const StreamStretch& stretch);
// Positions enough to compare legs by; until then the stretch should go on.
bool tells_latent_errors(const StreamStretch& stretch) noexcept;
// latent_error_period, but no less than four times what a leg may be behind.
Nanoseconds latent_period(const StreamSpec& spec) noexcept;

// Legs further behind than the merge waits, each with the value to set.
Findings find_path_differentials(const StreamStretch& stretch);

// Legs that lost more than degrade_loss; one packet alone is no ratio.
Findings find_degraded_legs(const StreamStretch& stretch);

// More packets of protected outputs than degrade_loss could not be encrypted; one alone is no
// ratio.
Findings find_not_sealed(const StreamStretch& stretch);

// Legs of which this counter grew, where legs have one: copies compared and found to differ.
Findings find_content_mismatches(const StreamStretch& stretch,
                                 std::string_view counter = "content_mismatch");

// Legs that are silent, or were never heard, while the stream goes on.
Findings find_silent_legs(const StreamStretch& stretch);
Findings find_diverged_legs(const StreamStretch& stretch);
Findings find_unknown_offsets(const StreamStretch& stretch);

// No leg brought a packet for `silence`; `ever`: one did before.
Findings find_all_down(const StreamSpec& spec, Nanoseconds silence, bool ever);

// The words of a finding, also for what events tell before the counters do.
std::string silent_text(const StreamSpec& spec, std::size_t leg);
std::string diverged_text(const StreamSpec& spec, std::size_t leg);

}  // namespace castgate
