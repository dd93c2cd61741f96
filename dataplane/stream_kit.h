// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/capture/capture_filter.h"
#include "dataplane/classify/flow_table.h"
#include "dataplane/failover/failover_stage.h"
#include "dataplane/open/open_stage.h"
#include "dataplane/protect/protect_stage.h"
#include "dataplane/replicate/replicate_stage.h"
#include "dataplane/restamp/restamp_stage.h"

namespace castgate {

// What each stage of a worker keeps of one stream, made by the control thread while packets flow.
// The worker takes it by swapping; what it had comes back in the same kit.
struct StreamKit {
  std::uint32_t stream = 0;  // index into Spec::streams
  unsigned part = 0;         // of its clients: beyond the first the worker has these alone
  bool goes = false;         // is taken out; what is below then serves only to be swapped
  Openers openers;
  std::unique_ptr<OpenStage> open;  // for a worker without this stage
  FailoverStage::Change failover;
  RestampStage::Face face;
  std::unique_ptr<RestampStage> restamp;  // for a worker without this stage
  Renditions renditions;
  std::unique_ptr<ProtectStage> protect;  // likewise
  ReplicateStage::Change outputs;
  CaptureFilter::Facts capture;
};

struct KitParts {
  const Spec& before;
  const Spec& after;
  std::span<Port* const> ports;
  std::uint64_t fingerprint_seed = 0;
  const ClientRoster* clients = nullptr;  // null: no stream has a unicast output
  std::span<const FanHelpers> helpers;    // by stream index of `after`; none: no stream has any
  CryptoQueue* crypto = nullptr;          // of the stream's worker
};

// For a stream that comes or changes: StreamChange::Added or Changed.
std::unique_ptr<StreamKit> make_kit(const KitParts& parts, std::uint32_t stream);
// The same for the worker that has this part of its clients, from 1 on.
std::unique_ptr<StreamKit> make_part_kit(const KitParts& parts, std::uint32_t stream,
                                         unsigned part);

// One after the other, then the table of flows. Published by pointer; the worker hands it back by
// clearing the pointer.
struct ReloadJob {
  std::vector<std::unique_ptr<StreamKit>> kits;
  const FlowTable* flows = nullptr;  // none: stays
  std::size_t next_kit = 0;
  Nanoseconds longest{0};  // that the worker did nothing else
};

}  // namespace castgate
