// SPDX-License-Identifier: Apache-2.0
#include "dataplane/capture/capture_filter.h"

#include "dataplane/stage.h"

namespace castgate {
namespace {

bool fits(std::uint16_t wanted, std::uint16_t is) noexcept {
  return wanted == CaptureStart::kAny || wanted == is;
}

}  // namespace

CaptureFilter::CaptureFilter(const Spec& spec) : port_of_leg_(spec.streams.size()) {
  for (std::size_t s = 0; s < spec.streams.size(); ++s) {
    const auto& legs = spec.streams[s].legs;
    for (std::size_t l = 0; l < legs.size(); ++l) {
      port_of_leg_[s][l] = static_cast<std::uint16_t>(legs[l].port);
    }
  }
}

bool CaptureFilter::wants(const Sighting& where, const rte_mbuf* packet,
                          CapturedPacket& about) const noexcept {
  const PacketTag tag = tag_of(packet);
  const bool tagged = where.port == CaptureStart::kAny;
  // What leaves may be a frame of the host stack's: no stream's.
  const bool leaves = where.stage == CaptureStage::Transmit || where.reason == DropReason::TxFull ||
                      where.reason == DropReason::TxLinkDown;
  const bool of_stream =
      (tagged || leaves) && tag.stream < port_of_leg_.size() && tag.leg < kMaxLegs;
  const std::uint16_t stream = of_stream ? tag.stream : CaptureStart::kAny;
  std::uint16_t port = where.port;
  if (tagged && of_stream) port = port_of_leg_[tag.stream][tag.leg];
  if (!fits(wanted_.stream, stream) || !fits(wanted_.port, port)) return false;
  about.stage = where.stage;
  about.reason = where.reason;
  about.port = where.port;
  about.stream = tagged ? stream : CaptureStart::kAny;
  about.wire_length = packet->pkt_len;
  return true;
}

}  // namespace castgate
