// SPDX-License-Identifier: Apache-2.0
#include "dataplane/transmit/transmit_stage.h"

#include <algorithm>
#include <numeric>

namespace castgate {

TransmitStage::TransmitStage(std::vector<Port*> ports, std::vector<unsigned> queues,
                             std::vector<PortCap*> caps)
    : lanes_(ports.size()) {
  CG_CHECK(ports.size() == queues.size());
  for (std::size_t i = 0; i < ports.size(); ++i) {
    lanes_[i].port = ports[i];
    lanes_[i].queue = queues[i];
    if (i < caps.size()) lanes_[i].cap = caps[i];
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
  const DropReason reason = stage == CaptureStage::Drops ? reason_of(lane) : DropReason::kCount;
  tap_->see({stage, port, reason}, packets);
}

void TransmitStage::add_ahead(unsigned port, rte_mbuf* packet) noexcept {
  Lane& lane = lanes_[port];
  if (lane.cap == nullptr) return add(port, packet);
  if (tap_ != nullptr) [[unlikely]]
    show(lane, CaptureStage::Transmit, {&packet, 1});
  const std::int64_t took = lane.cap->cost(*packet);
  if (lane.port->transmit(lane.queue, {&packet, 1}) == 1) {
    lane.sent.add();
    lane.cap->spend(took, now_);
    return;
  }
  (lane.port->link_up() ? lane.full : lane.link_down).add();
  rte_pktmbuf_free(packet);
}

// How many leave. The driver may have freed them on return.
unsigned TransmitStage::offer(Lane& lane) noexcept {
  const std::span<rte_mbuf*> all(lane.pending.data(), lane.count);
  if (lane.cap == nullptr) [[likely]]
    return lane.port->transmit(lane.queue, all);
  const std::size_t room = lane.cap->room(all, now_);
  std::array<std::int64_t, std::size_t{2} * kGather> cost;
  for (std::size_t i = 0; i < room; ++i) cost[i] = lane.cap->cost(*all[i]);
  const unsigned taken = room == 0 ? 0 : lane.port->transmit(lane.queue, all.first(room));
  lane.capped = taken == room && room < all.size();
  lane.cap->spend(std::accumulate(cost.begin(), cost.begin() + taken, std::int64_t{0}), now_);
  return taken;
}

DropReason TransmitStage::reason_of(const Lane& lane) noexcept {
  if (lane.capped) return DropReason::TxRate;
  return lane.port->link_up() ? DropReason::TxFull : DropReason::TxLinkDown;
}

void TransmitStage::send(Lane& lane) noexcept {
  if (tap_ != nullptr) [[unlikely]]
    show(lane, CaptureStage::Transmit,
         std::span(lane.pending).subspan(lane.refused, lane.count - lane.refused));
  const unsigned taken = offer(lane);
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
  switch (reason_of(lane)) {
    case DropReason::TxRate:
      lane.over_rate.add(count);
      break;
    case DropReason::TxFull:
      lane.full.add(count);
      break;
    default:
      lane.link_down.add(count);
  }
  lane.count -= count;
  std::copy_n(lane.pending.begin() + count, lane.count, lane.pending.begin());
  lane.refused = std::min(lane.refused, lane.count);
}

}  // namespace castgate
