// SPDX-License-Identifier: Apache-2.0
#include "dataplane/failover/failover_stream.h"

#include <algorithm>
#include <utility>

#include "dataplane/failover/merge_configs.h"

namespace castgate {

FailoverStream make_failover_stream(const StreamSpec& stream, std::uint32_t tag,
                                    std::shared_ptr<FailoverBerth> berth) {
  FailoverStream made;
  made.legs = static_cast<std::uint8_t>(stream.legs.size());
  made.sequence = stream.sequence;
  made.lane.format = stream.sequence.format;
  MergeConfig config = merge_config(stream, tag);
  if (stream.sequence.format == SequenceFormat::Fingerprint) {
    made.unnumbered = std::make_unique<FingerprintMerge>(config);
    return made;
  }
  const SwitchConfig switching = switch_config(stream);
  if (has_choice(stream)) config.choice = &switching;
  made.berth = std::move(berth);
  MergeWindow& window = made.berth->window.emplace(config);
  const std::uint64_t most = std::min<std::uint64_t>(window.window() / 4, Located::kEnd - 1);
  made.judged.verdict = stream_verdict(stream);
  made.lane.window = &window;
  made.lane.ranges = stream.sequence.counts_messages();
  made.lane.plain = !made.lane.ranges && !window.choice() && !made.judged.verdict;
  made.lane.restamped = is_restamped(stream);
  made.lane.most = static_cast<std::uint16_t>(most);
  made.lane.offsets = has_offsets(stream);
  if (!made.lane.offsets) return made;
  made.lane.plain = false;
  made.offsets = std::make_unique<StreamOffsets>(leg_offsets(stream), offset_config(stream));
  return made;
}

}  // namespace castgate
