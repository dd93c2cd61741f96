// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stream_kit.h"

#include <utility>

#include "dataplane/contract/reload.h"
#include "dataplane/failover/merge_configs.h"

namespace castgate {
namespace {

// Does a verdict go on where it is? It knows its legs by their numbers, and what each brought.
bool keeps_verdict(const StreamSpec& before, const StreamSpec& after) {
  return before.sequence == after.sequence && before.verify.mpeg_ts == after.verify.mpeg_ts &&
         before.verify.payload_type == after.verify.payload_type && before.legs == after.legs;
}

ReplicateStage::ChangeParts change_parts(const KitParts& parts, std::uint32_t stream) {
  ReplicateStage::ChangeParts change{.specs = parts.after.ports, .ports = parts.ports};
  change.stream = static_cast<std::uint16_t>(stream);
  if (parts.clients != nullptr) change.clients = &parts.clients->clients_of(stream);
  if (stream < parts.helpers.size()) change.helpers = parts.helpers[stream];
  return change;
}

}  // namespace

std::unique_ptr<StreamKit> make_kit(const KitParts& parts, std::uint32_t stream) {
  auto kit = std::make_unique<StreamKit>();
  const StreamSpec& after = parts.after.streams[stream];
  const bool changes =
      stream < parts.before.streams.size() && !parts.before.streams[stream].is_vacant();
  const StreamSpec* before = changes ? &parts.before.streams[stream] : nullptr;
  kit->stream = stream;
  kit->failover.stream = make_failover_stream(after, stream, std::make_shared<FailoverBerth>());
  if (before != nullptr) {
    kit->failover.from = inherited(*before, after);
    kit->failover.keeps_verdict = keeps_verdict(*before, after);
  }
  if (asks_for_fingerprint(after))
    kit->failover.fingerprint = std::make_unique<Fingerprint>(parts.fingerprint_seed);
  if (is_opened(after)) {
    kit->open = make_open_stage(stream_places(parts.after));
    kit->openers = make_openers(after, kit->open->ciphers());
  }
  kit->face = RestampStage::make_face(after);
  if (is_restamped(after))
    kit->restamp = std::make_unique<RestampStage>(stream_places(parts.after));
  if (is_protected(after)) {
    kit->protect = make_protect_stage(stream_places(parts.after), parts.crypto);
    kit->renditions = make_renditions(after, kit->protect->ciphers(), parts.crypto);
  }
  kit->outputs = ReplicateStage::make_change(after, before, change_parts(parts, stream));
  kit->capture = CaptureFilter::facts_of(after);
  return kit;
}

std::unique_ptr<StreamKit> make_part_kit(const KitParts& parts, std::uint32_t stream,
                                         unsigned part) {
  auto kit = std::make_unique<StreamKit>();
  kit->stream = stream;
  kit->part = part;
  kit->outputs =
      ReplicateStage::make_part(parts.after.streams[stream], part, change_parts(parts, stream));
  return kit;
}

}  // namespace castgate
