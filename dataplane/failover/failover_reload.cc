// SPDX-License-Identifier: Apache-2.0
// Streams that come, change and go while packets flow.
#include <utility>

#include "dataplane/base/failover/merge_heir.h"
#include "dataplane/failover/failover_stage.h"

namespace castgate {

void FailoverStage::install(std::uint32_t stream, Change& change, Instant now) noexcept {
  now_ = now;
  FailoverStream& own = streams_[stream];
  if (!own.is_vacant()) go_on(own, change, now);
  if (!fingerprint_) fingerprint_ = std::move(change.fingerprint);
  if (change.stream.offsets && fingerprint_) change.stream.offsets->use(*fingerprint_);
  std::swap(own, change.stream);
  lanes_[stream] = own.lane;
  flush();
  bin_.flush();
  if (own.unnumbered) {
    rearm(stream, *own.unnumbered);
  } else {
    rearm(stream, *own.lane.window);
  }
}

void FailoverStage::remove(std::uint32_t stream, FailoverStream& into, Instant now) noexcept {
  now_ = now;
  drain(streams_[stream], now);
  flush();
  bin_.flush();
  lanes_[stream] = {};
  std::swap(streams_[stream], into);
}

// The new one takes over what the old one keeps and counts.
void FailoverStage::go_on(FailoverStream& old, Change& change, Instant now) noexcept {
  FailoverStream& own = change.stream;
  const Inherited& from = change.from;
  own.judged.gone = old.judged.gone;
  for (unsigned leg = 0; leg < own.legs; ++leg) {
    if (!from.has(leg)) continue;
    own.judged.legs[leg] = old.judged.legs[from.old(leg)];
    if ((old.judged.refused >> from.old(leg) & 1) == 0) continue;
    own.judged.refused |= static_cast<std::uint8_t>(1u << leg);
  }
  if (own.offsets && old.offsets) own.offsets->take_over(*old.offsets, from);
  if (change.keeps_verdict) std::swap(own.judged.verdict, old.judged.verdict);
  if (own.unnumbered && old.unnumbered) {
    own.unnumbered->take_over(*old.unnumbered, from, now, *this);
  } else if (own.lane.window != nullptr && old.lane.window != nullptr) {
    MergeHeir(*own.lane.window, *old.lane.window, from).take_over(now, *this);
  } else {
    drain(old, now);  // nothing of it is counted any further
    own.judged.legs = {};
    own.judged.gone = {};
    return;
  }
  for (unsigned leg = 0; leg < old.legs; ++leg) {
    if (from.now(leg, own.legs) == own.legs) settle_gone(old, leg, own.judged.gone);
  }
}

void FailoverStage::drain(FailoverStream& stream, Instant now) noexcept {
  if (stream.unnumbered) stream.unnumbered->drain(now, *this);
  if (stream.lane.window != nullptr) stream.lane.window->drain(now, *this);
}

}  // namespace castgate
