// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rte_mbuf.h>
#include <rte_mempool.h>

namespace castgate {

// A copy of the packet in one segment of `pool`, flags and metadata included; null where the pool
// is empty or a segment of it too small. The packet itself stays as it is and the caller's.
rte_mbuf* linearised(const rte_mbuf* packet, rte_mempool* pool) noexcept;

// What a driver without multi-segment transmit can send as it is. Besides chains, net_af_xdp also
// garbles packets whose bytes lie in another buffer (clones), so those never count as linear.
inline bool is_linear(const rte_mbuf* packet) noexcept {
  return packet->nb_segs == 1 && RTE_MBUF_DIRECT(packet);
}

}  // namespace castgate
