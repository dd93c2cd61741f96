// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "dataplane/base/failover/merge_window.h"

namespace castgate {

// Each 64th position: who was first, how far behind are the others, how even is the flow.
void MergeWindow::milestone(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept {
  if (arrival_ && position == next_out_) {
    if (!jumps_.empty()) {
      close_arrival_gaps(a.now - Nanoseconds{1}, position - window() / 2, a.now, out);
    }
    store_word(position);
  }
  LegTrack& leg = legs_[a.leg];
  PositionSample& sample = samples_[(position >> 6) & sample_mask_];
  const bool compares = config_.content_check != 0 &&
                        (position & (config_.content_check - 1)) == 0 && a.grade == Grade::Good;
  const std::uint64_t content = compares ? out.content(config_.tag, a.packet) : 0;
  if (sample.position != position) {
    sample = {position, a.now, a.leg, content};
    ++leg.first_wins;
    leg.skew.add(0);
  } else if (sample.leg != a.leg) {
    leg.skew.add(static_cast<std::uint64_t>((a.now - sample.at).count()));
    if (compares && sample.content != 0 && sample.content != content) ++leg.content_mismatch;
  }
  const std::int64_t span = (a.now - leg.sampled_at).count();
  if (leg.sampled_span_ns != 0) {
    const std::int64_t off = std::abs(span - leg.sampled_span_ns);
    leg.jitter_ns +=
        static_cast<std::uint64_t>((off - static_cast<std::int64_t>(leg.jitter_ns)) / 16);
  }
  leg.sampled_span_ns = leg.sampled_at.ns == 0 ? 0 : span;
  const auto further = static_cast<std::int64_t>(position - leg.sampled_position);
  leg.pace_ns = further > 0 && leg.sampled_span_ns > 0 ? leg.sampled_span_ns / further : 0;
  leg.sampled_position = position;
  leg.sampled_at = a.now;
}

}  // namespace castgate
