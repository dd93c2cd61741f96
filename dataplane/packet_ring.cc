// SPDX-License-Identifier: Apache-2.0
#include "dataplane/packet_ring.h"

#include <algorithm>
#include <utility>

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

void RingWriter::put() noexcept {
  if (count_ == 0) return;
  const unsigned taken = ring_->put({pending_.data(), count_});
  handed_over_ += taken;
  count_ -= taken;
  std::copy_n(pending_.begin() + taken, count_, pending_.begin());
}

unsigned RingWriter::abandon() noexcept {
  const unsigned count = std::exchange(count_, 0);
  for (unsigned i = 0; i < count; ++i) rte_pktmbuf_free(pending_[i]);
  return count;
}

}  // namespace castgate
