// SPDX-License-Identifier: Apache-2.0
#include "dataplane/packet_ring.h"

#include <rte_errno.h>

namespace castgate {

Result<PacketRing> PacketRing::make(const std::string& name, unsigned slots) {
  rte_ring* ring =
      rte_ring_create(name.c_str(), slots, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
  if (ring == nullptr) {
    return fail("ring " + name + ": " + rte_strerror(rte_errno) +
                "; give the appliance more memory (appliance.hugepages)");
  }
  return PacketRing(ring);
}

void PacketRing::Closer::operator()(rte_ring* ring) const noexcept {
  void* packet = nullptr;
  while (rte_ring_sc_dequeue(ring, &packet) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
  rte_ring_free(ring);
}

}  // namespace castgate
