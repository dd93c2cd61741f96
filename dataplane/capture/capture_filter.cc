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
    : facts_(std::max(spec.streams.size(), streams)) {
  for (std::size_t s = 0; s < spec.streams.size(); ++s) set_facts(s, facts_of(spec.streams[s]));
}

CaptureFilter::Facts CaptureFilter::facts_of(const StreamSpec& stream) noexcept {
  Facts facts;
  std::ranges::transform(stream.legs, facts.port_of_leg.begin(),
                         [](const LegSpec& leg) { return static_cast<std::uint16_t>(leg.port); });
  facts.isolated = std::ranges::any_of(
      stream.unicasts, [](const UnicastSpec& unicast) { return unicast.protect.is_isolated(); });
  facts.sealed = facts.isolated || is_protected(stream) || is_opened(stream);
  return facts;
}

std::uint32_t CaptureFilter::length_of(const Sighting& where,
                                       const rte_mbuf* packet) const noexcept {
  constexpr std::uint32_t kUdpAndRtp = 8 + 12;
  const std::uint32_t length = std::min(packet->pkt_len, wanted_.snaplen);
  // On the wire, and behind protect, it is as everybody may see it.
  const bool on_wire = where.stage == CaptureStage::Rx || where.stage == CaptureStage::Transmit;
  if (on_wire || wanted_.clear || where.port != CaptureStart::kAny) return length;
  const PacketTag tag = tag_of(packet);
  if (tag.stream >= facts_.size()) return length;
  const Facts& facts = facts_[tag.stream];
  const bool inside = where.stage == CaptureStage::Restamp ? facts.isolated : facts.sealed;
  return inside ? std::min(length, tag.udp_at + kUdpAndRtp) : length;
}

bool CaptureFilter::wants(const Sighting& where, const rte_mbuf* packet,
                          CapturedPacket& about) const noexcept {
  const PacketTag tag = tag_of(packet);
  const bool tagged = where.port == CaptureStart::kAny;
  // What leaves may be a frame of the host stack's: no stream's.
  const bool leaves = where.stage == CaptureStage::Transmit || where.reason == DropReason::TxFull ||
                      where.reason == DropReason::TxLinkDown;
  const bool of_stream = (tagged || leaves) && tag.stream < facts_.size() && tag.leg < kMaxLegs;
  const std::uint16_t stream = of_stream ? tag.stream : CaptureStart::kAny;
  std::uint16_t port = where.port;
  if (tagged && of_stream) port = facts_[tag.stream].port_of_leg[tag.leg];
  if (!fits(wanted_.stream, stream) || !fits(wanted_.port, port)) return false;
  about.stage = where.stage;
  about.reason = where.reason;
  about.port = where.port;
  about.stream = tagged ? stream : CaptureStart::kAny;
  about.wire_length = packet->pkt_len;
  return true;
}

}  // namespace castgate
