// SPDX-License-Identifier: Apache-2.0
#include "dataplane/capture/capture_filter.h"

#include <algorithm>

#include "dataplane/stage.h"

namespace castgate {
namespace {

bool fits(std::uint16_t wanted, std::uint16_t is) noexcept {
  return wanted == CaptureStart::kAny || wanted == is;
}

}  // namespace

CaptureFilter::CaptureFilter(const Spec& spec, std::size_t streams)
    : port_of_leg_(std::max(spec.streams.size(), streams)) {
  for (std::size_t s = 0; s < spec.streams.size(); ++s) set_ports(s, ports_of(spec.streams[s]));
}

CaptureFilter::LegPorts CaptureFilter::ports_of(const StreamSpec& stream) noexcept {
  LegPorts ports{};
  std::ranges::transform(stream.legs, ports.begin(),
                         [](const LegSpec& leg) { return static_cast<std::uint16_t>(leg.port); });
  return ports;
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
