// SPDX-License-Identifier: Apache-2.0
#include "dataplane/failover/merge_configs.h"

#include <algorithm>

namespace castgate {

SwitchConfig switch_config(const StreamSpec& stream) {
  const SwitchingSpec& switching = stream.failover.switching;
  SwitchConfig config;
  config.prefer = stream.failover.selection == Selection::Prefer;
  std::ranges::copy(preference(stream), config.order.begin());
  config.revertive = switching.revertive;
  config.on_degrade = switching.degrade_loss_ppm != 0;
  config.hold_off = switching.hold_off;
  config.wait_to_restore = switching.wait_to_restore;
  return config;
}

MergeConfig merge_config(const StreamSpec& stream, std::uint32_t tag) {
  const FailoverSpec& failover = stream.failover;
  MergeConfig config;
  config.release = failover.release == Release::Arrival   ? MergeRelease::Arrival
                   : failover.release == Release::Ordered ? MergeRelease::Ordered
                                                          : MergeRelease::Playout;
  config.window = window_positions(stream);
  config.max_skew = failover.max_skew;
  config.playout_delay = failover.playout_delay;
  config.epoch_hold = failover.epoch_hold;
  config.legs = static_cast<unsigned>(stream.legs.size());
  config.reorder_depth = failover.reorder_depth;
  config.width = stream.sequence.width();
  config.degrade_loss_ppm = failover.switching.degrade_loss_ppm;
  config.content_check = stream.sequence.counts_messages() ? 0 : stream.verify.content_check;
  config.ranges = stream.sequence.counts_messages();
  config.trim = stream.sequence.overlap == Overlap::Trim && stream.sequence.has_lengths();
  config.tag = tag;
  return config;
}

bool asks_for_fingerprint(const StreamSpec& stream) noexcept {
  return stream.sequence.format == SequenceFormat::Fingerprint || learns_offsets(stream);
}

std::vector<LegOffset> leg_offsets(const StreamSpec& stream) {
  std::vector<LegOffset> offsets;
  offsets.reserve(stream.legs.size());
  for (const LegSpec& leg : stream.legs) offsets.push_back(leg.offset);
  return offsets;
}

OffsetConfig offset_config(const StreamSpec& stream) {
  return {.width = stream.sequence.width(),
          .max_skew = stream.failover.max_skew,
          .remembered = remembered_payloads(stream)};
}

std::unique_ptr<StreamVerdict> stream_verdict(const StreamSpec& stream) {
  const StreamVerifySpec& verify = stream.verify;
  if (!verify.mpeg_ts && !verify.payload_type) return nullptr;
  const SequenceFormat format = stream.sequence.format;
  VerdictConfig config;
  config.rtp = format == SequenceFormat::Rtp || format == SequenceFormat::RtpExtended;
  config.mpeg_ts = verify.mpeg_ts;
  config.payload_type = verify.payload_type;
  config.width = stream.sequence.width();
  config.legs = static_cast<unsigned>(stream.legs.size());
  return std::make_unique<StreamVerdict>(config);
}

}  // namespace castgate
