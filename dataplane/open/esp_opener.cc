// SPDX-License-Identifier: Apache-2.0
#include "dataplane/open/esp_opener.h"

#include <utility>

#include "dataplane/failover/udp_payload.h"

namespace castgate {
namespace {

constexpr unsigned kUdpHeader = 8;

DropReason reason_of(EspFault fault) noexcept {
  switch (fault) {
    case EspFault::NotEsp:
      return DropReason::NotEsp;
    case EspFault::Malformed:
      return DropReason::OpenMalformed;
    case EspFault::OtherSpi:
      return DropReason::OtherSpi;
    case EspFault::Replayed:
      return DropReason::Replayed;
    case EspFault::Forged:
      return DropReason::Forged;
    case EspFault::Dummy:
      return DropReason::EspDummy;
    case EspFault::InnerMalformed:
      return DropReason::InnerMalformed;
    case EspFault::OtherSelector:
      return DropReason::OtherSelector;
  }
  std::unreachable();
}

}  // namespace

EspOpener::EspOpener(const Ciphers& ciphers, const OpenSpec& spec)
    : esp_({.extended = spec.esn, .window = spec.replay_window}),
      selector_{.transport = spec.profile == OpenProfile::EspTransport,
                .to = spec.inner.to,
                .source = spec.inner.source},
      in_udp_(spec.udp_encapsulation) {
  for (const EpochKey& key : spec.keys) {
    const auto master = read_esp_master(key.key->bytes(), static_cast<KeyBits>(spec.key_bits));
    esp_.add(ciphers, *master, spec.spi_of(key.epoch));
  }
}

std::optional<DropReason> EspOpener::open(IMB_MGR* manager, rte_mbuf* packet,
                                          std::span<std::byte> spare, Instant now) noexcept {
  PacketTag tag = tag_of(packet);
  const std::size_t at = tag.udp_at + kUdpHeader;
  auto* frame = rte_pktmbuf_mtod(packet, std::byte*);
  const std::span<std::byte> sealed(frame + at, packet->data_len - at);
  if (in_udp_ && is_beside_esp(sealed)) return DropReason::NotEsp;
  const auto opened = esp_.open(manager, sealed, spare, now);
  if (!opened) return reason_of(opened.error());
  const auto clear = clear_frame({.bytes = {frame, packet->data_len},
                                  .l3_at = tag.l3_at,
                                  .l4_at = in_udp_ ? tag.udp_at : at,
                                  .is_v6 = (tag.flags & PacketTag::kIp6) != 0,
                                  .inside = opened->inner,
                                  .next_header = opened->next_header},
                                 selector_);
  if (!clear) return reason_of(clear.error());
  packet->data_off = static_cast<std::uint16_t>(packet->data_off + clear->begin);
  packet->data_len = static_cast<std::uint16_t>(clear->length);
  packet->pkt_len = packet->data_len;
  tag.udp_at = static_cast<std::uint16_t>(clear->udp_at);
  tag.flags = clear->is_v6 ? PacketTag::kIp6 : 0;
  set_tag(packet, tag);
  if (in_udp_ && selector_.transport) {
    // A NAT on the way changed addresses that its checksum is of (RFC 3948 3.1.2).
    refresh_udp(frame + clear->begin, tag, clear->length - clear->udp_at);
  }
  return std::nullopt;
}

}  // namespace castgate
