// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stage.h"

namespace castgate {

void free_packets(std::span<rte_mbuf* const> packets) noexcept {
  if (packets.empty()) return;
  rte_mempool* const pool = packets[0]->pool;
  bool plain = true;
  for (const rte_mbuf* packet : packets) {
    plain = plain && packet->pool == pool && rte_mbuf_refcnt_read(packet) == 1 &&
            packet->nb_segs == 1 && RTE_MBUF_DIRECT(packet);
  }
  if (plain) [[likely]] {
    rte_mempool_put_bulk(pool, reinterpret_cast<void* const*>(packets.data()),
                         static_cast<unsigned>(packets.size()));
  } else {
    for (rte_mbuf* packet : packets) rte_pktmbuf_free(packet);
  }
}

void DropBin::full(DropReason last) noexcept {
  if (tap_ != nullptr) {
    const std::uint16_t port = tagged_ ? CaptureStart::kAny : tap_->port();
    tap_->see({CaptureStage::Drops, port, last}, {pending_.data(), count_});
  }
  flush();
}

}  // namespace castgate
