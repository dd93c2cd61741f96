// SPDX-License-Identifier: Apache-2.0
// What the failover stage keeps of one stream: made by the control thread, at start or when the
// file is read again, and handed to the worker whole.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/base/failover/inherited.h"
#include "dataplane/base/failover/merge_window.h"
#include "dataplane/base/fingerprint/fingerprint_merge.h"
#include "dataplane/base/offset/stream_offsets.h"
#include "dataplane/base/verdict/stream_verdict.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// What was said of a stream's packets before its window saw them.
struct StreamJudgement {
  struct Leg {
    std::uint64_t malformed = 0;
    std::uint64_t payload_type = 0;
    std::uint64_t not_ts = 0;
    std::uint64_t degraded = 0;
    std::uint64_t corrupt = 0;
    std::uint64_t locked_out = 0;  // of feeds without numbers
    std::uint64_t offset_learning = 0;
  };
  // Of legs that were taken out of the file, so that the stream's sums still hold.
  struct Gone {
    std::uint64_t received = 0;
    std::uint64_t elsewhere = 0;  // of them neither forwarded, kept nor redundant
  };

  std::array<Leg, kMaxLegs> legs{};
  Gone gone;
  std::uint8_t refused = 0;  // feeds without numbers: a bit for each leg that is locked out
  std::unique_ptr<StreamVerdict> verdict;  // null where nothing is asked for
};

// What every packet looks up, in a row of its own.
struct FailoverLane {
  MergeWindow* window = nullptr;  // null where not ours, or without numbers
  SequenceFormat format = SequenceFormat::Rtp;
  bool plain = true;       // one position each, all copies alike, nothing to judge
  bool ranges = false;     // packets of several positions
  bool restamped = false;  // the next stage wants to know of gaps and epochs
  bool offsets = false;    // legs are numbered otherwise
  std::uint16_t most = 1;  // of them; more could not be kept
};

// An odd number of cache lines, so that the first lines of windows that lie in one piece do not
// compete for the same few sets.
struct FailoverBerth {
  std::optional<MergeWindow> window;
  alignas(64) std::array<std::byte, 64> odd{};
};
static_assert(sizeof(FailoverBerth) / 64 % 2 == 1);

struct FailoverStream {
  std::shared_ptr<FailoverBerth> berth;          // null where positions have no numbers
  std::unique_ptr<FingerprintMerge> unnumbered;  // else null
  StreamJudgement judged;
  FailoverLane lane;
  std::unique_ptr<StreamOffsets> offsets;  // null where all legs have one numbering
  SequenceSpec sequence;
  std::uint8_t legs = 0;  // 0: no stream

  bool is_vacant() const noexcept { return legs == 0; }
};

// `berth`: where its window goes, if it has one. `tag`: the stream's index.
FailoverStream make_failover_stream(const StreamSpec& stream, std::uint32_t tag,
                                    std::shared_ptr<FailoverBerth> berth);

}  // namespace castgate
