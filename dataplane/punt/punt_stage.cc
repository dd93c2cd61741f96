// SPDX-License-Identifier: Apache-2.0
#include "dataplane/punt/punt_stage.h"

namespace castgate {

PuntStage::PuntStage(std::vector<bool> has_twin, PacketRing& ring)
    : lanes_(has_twin.size()), ring_(ring) {
  for (std::size_t p = 0; p < has_twin.size(); ++p) lanes_[p].has_twin = has_twin[p];
}

bool PuntStage::punt(rte_mbuf* packet, unsigned port, HostKind kind, Instant now) noexcept {
  Lane& lane = lanes_[port];
  if (!lane.has_twin && kind != HostKind::IcmpError) return false;
  if (!lane.policer.allow(kind, now)) {
    lane.policed.add();
    rte_pktmbuf_free(packet);
    return true;
  }
  packet->port = static_cast<std::uint16_t>(port);
  if (ring_.put({&packet, 1}) == 0) {
    lane.full.add();
    rte_pktmbuf_free(packet);
    return true;
  }
  lane.punted.add();
  return true;
}

}  // namespace castgate
