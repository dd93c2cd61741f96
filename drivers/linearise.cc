// SPDX-License-Identifier: Apache-2.0
#include "drivers/linearise.h"

#include <cstdint>

namespace castgate {

rte_mbuf* linearised(const rte_mbuf* packet, rte_mempool* pool) noexcept {
  const std::uint32_t room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
  if (packet->pkt_len > room) return nullptr;
  return rte_pktmbuf_copy(packet, pool, 0, UINT32_MAX);
}

}  // namespace castgate
