// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>

#include "dataplane/capture/capture_filter.h"
#include "dataplane/contract/runtime.h"
#include "dataplane/stage.h"

namespace castgate {

// Hands on what it sees at once.
class ReplayTap final : public Tap {
 public:
  ReplayTap(const Spec& spec, const ReplayPlan& plan)
      : Tap(plan.capture.stages), filter_(spec), captured_(plan.captured) {
    CaptureStart wanted = plan.capture;
    wanted.clear = true;  // whoever replays has what came, and the keys
    filter_.set(wanted);
  }
  void see(const Sighting& where, std::span<rte_mbuf* const> packets) noexcept override {
    if (!wants(where.stage)) return;
    for (const rte_mbuf* packet : packets) {
      if (!filter_.wants(where, packet, packet_)) continue;
      packet_.at = now();
      packet_.bytes.clear();
      for_each_piece(packet, filter_.length_of(where, packet),
                     [&](std::span<const std::byte> bytes) {
                       packet_.bytes.insert(packet_.bytes.end(), bytes.begin(), bytes.end());
                     });
      captured_(packet_);
    }
  }

 private:
  CaptureFilter filter_;
  const std::function<void(const CapturedPacket&)>& captured_;
  CapturedPacket packet_;
};

}  // namespace castgate
