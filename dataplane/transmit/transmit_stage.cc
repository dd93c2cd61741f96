// SPDX-License-Identifier: Apache-2.0
#include "dataplane/transmit/transmit_stage.h"

#include <algorithm>

namespace castgate {

TransmitStage::TransmitStage(std::vector<Port*> ports, std::vector<unsigned> queues)
    : lanes_(ports.size()) {
  CG_CHECK(ports.size() == queues.size());
  for (std::size_t i = 0; i < ports.size(); ++i) {
    lanes_[i].port = ports[i];
    lanes_[i].queue = queues[i];
  }
}

TransmitStage::~TransmitStage() {
  drain();
}

void TransmitStage::flush() noexcept {
  for (Lane& lane : lanes_) {
    if (lane.count != 0) send(lane);
  }
}

void TransmitStage::drain() noexcept {
  flush();
  for (Lane& lane : lanes_) drop_front(lane, lane.count);
}

std::uint64_t TransmitStage::waiting() const noexcept {
  std::uint64_t packets = 0;
  for (const Lane& lane : lanes_) packets += lane.count;
  return packets;
}

void TransmitStage::show(const Lane& lane, CaptureStage stage,
                         std::span<rte_mbuf* const> packets) noexcept {
  const auto port = static_cast<std::uint16_t>(&lane - lanes_.data());
  DropReason reason = DropReason::kCount;
  if (stage == CaptureStage::Drops) {
    reason = lane.port->link_up() ? DropReason::TxFull : DropReason::TxLinkDown;
  }
  tap_->see({stage, port, reason}, packets);
}

void TransmitStage::send(Lane& lane) noexcept {
  if (tap_ != nullptr) [[unlikely]]
    show(lane, CaptureStage::Transmit,
         std::span(lane.pending).subspan(lane.refused, lane.count - lane.refused));
  const unsigned taken = lane.port->transmit(lane.queue, {lane.pending.data(), lane.count});
  lane.sent.add(taken);
  const unsigned refused_before = lane.refused > taken ? lane.refused - taken : 0;
  lane.count -= taken;
  std::copy_n(lane.pending.begin() + taken, lane.count, lane.pending.begin());
  drop_front(lane, refused_before);
  lane.refused = lane.count;
  lane.send_at = lane.refused + kGather;
}

void TransmitStage::drop_front(Lane& lane, unsigned count) noexcept {
  if (count == 0) return;
  if (tap_ != nullptr) show(lane, CaptureStage::Drops, std::span(lane.pending).first(count));
  if (witness_ != nullptr) witness_->not_sent(std::span(lane.pending).first(count));
  for (unsigned i = 0; i < count; ++i) rte_pktmbuf_free(lane.pending[i]);
  (lane.port->link_up() ? lane.full : lane.link_down).add(count);
  lane.count -= count;
  std::copy_n(lane.pending.begin() + count, lane.count, lane.pending.begin());
  lane.refused = std::min(lane.refused, lane.count);
}

}  // namespace castgate
