// SPDX-License-Identifier: Apache-2.0
#include "dataplane/protect/esp_sealer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "dataplane/base/check.h"

namespace castgate {
namespace {

constexpr unsigned kUdpHeader = 8;
constexpr unsigned kEthernet = 14;
constexpr std::uint16_t kEspPort = 4500;  // RFC 3948

std::uint8_t next_header_of(const ProtectSpec& spec) noexcept {
  if (spec.profile == ProtectProfile::EspTransport) return kEspUdp;
  return spec.inner.to.address.is_v4() ? kEspIp4 : kEspIp6;
}

// What replicate reads, but for TOS and TTL: no UDP checksum.
constexpr std::array<std::uint8_t, 42> kFrontBytes = [] {
  std::array<std::uint8_t, 42> made{};
  made[12] = 0x08;
  made[14] = 0x45;
  made[20] = 0x40;  // do not fragment
  made[23] = 17;
  made[34] = made[36] = kEspPort >> 8;
  made[35] = made[37] = kEspPort & 0xff;
  return made;
}();

void finish_front(std::uint8_t* to, const ReceivedHeaders& received) noexcept {
  to[15] = received.tos;
  to[22] = received.ttl;
}

}  // namespace

EspSealer::EspSealer(const Ciphers& ciphers, const ProtectSpec& spec, const EpochKey& key)
    : next_header_(next_header_of(spec)),
      esp_(make_secret<EspGcm>(
          ciphers, *read_esp_master(key.key->bytes(), static_cast<KeyBits>(spec.key_bits)),
          spec.esn)),
      numbers_(key.numbers ? key.numbers : std::make_shared<NumberLease>(1, NumberLease::kAny),
               spec.esn ? NumberLease::kAny : std::uint64_t{1} << 32),
      spi_(spi_of(spec, key.epoch)) {
  inner_ = make_headers({.source = spec.inner.source,
                         .source_port = spec.inner.source_port,
                         .to = spec.inner.to,
                         .ttl = spec.inner.ttl},
                        MacAddress{}, long_inner_);
  plain_ = inner_.is_plain() && next_header_ == kEspIp4;
  headers_ = next_header_ == kEspUdp ? kUdpHeader : inner_.length - unsigned{inner_.l3_at};
  std::ranges::copy(kFrontBytes, block_.begin());
  std::copy(inner_.header.begin() + kEthernet, inner_.header.end(),
            block_.end() - (HeaderTemplate::kShort - kEthernet));
}

// No number was to be had.
DropReason EspSealer::why_none() const noexcept {
  return numbers_.is_spent() ? DropReason::KeySpent : DropReason::NumberNotKept;
}

// All headers at once; then what is the packet's own of them.
[[gnu::always_inline]] inline void EspSealer::write_plain(
    std::uint8_t* payload, std::size_t length, const ReceivedHeaders& received) noexcept {
  std::uint8_t* front = payload - kPlain;
  std::memcpy(front, block_.data(), kPlain);
  finish_front(front, received);
  const auto tos = static_cast<std::uint8_t>(inner_.tos | (received.tos & inner_.tos_keep));
  const auto udp_length = static_cast<std::uint16_t>(kUdpHeader + length);
  const Ip4Words ip =
      ip4_words(static_cast<std::uint16_t>(20 + udp_length), tos, inner_.ttl, inner_);
  store_raw(payload - 28, ip.first);
  store_raw(payload - 20, ip.second);
  store_raw(payload - 4, std::byteswap(udp_length) |
                             std::uint32_t{moved_checksum(received, inner_.pseudo_sum)} << 16);
}

// IPv6, transport mode, or a TTL of the packet's own. The headers inside begin with an Ethernet
// header, which ESP's then covers.
void EspSealer::write_any(std::uint8_t* payload, std::size_t length,
                          const ReceivedHeaders& received) noexcept {
  write_headers(payload, {payload, length}, received, inner_, long_inner_);
  std::uint8_t* front = payload - headers_ - EspShape::kHead - kFront;
  std::memcpy(front, kFrontBytes.data(), kFront);
  finish_front(front, received);
}

std::optional<DropReason> EspSealer::prepare(GcmJob& job, rte_mbuf* packet,
                                             PacketTag tag) noexcept {
  const unsigned payload_at = tag.udp_at + kUdpHeader;
  auto* frame = rte_pktmbuf_mtod(packet, std::uint8_t*);
  std::uint8_t* payload = frame + payload_at;
  const std::size_t length = packet->data_len - payload_at;
  const std::size_t inside = headers_ + length;
  const unsigned before = headers_ + EspShape::kHead + kFront;
  if (packet->data_off + payload_at < before ||
      rte_pktmbuf_tailroom(packet) < EspShape::behind(inside))
    return DropReason::SealNoRoom;
  NumberTaker::Taken taken{};
  if (!numbers_.take(taken)) return why_none();

  const std::size_t sealed = EspShape::sealed(inside);
  const ReceivedHeaders received = read_headers(frame, tag);
  if (plain_) [[likely]] {
    write_plain(payload, length, received);
  } else {
    write_any(payload, length, received);
  }
  ++inner_.packets;
  auto* inner = reinterpret_cast<std::byte*>(payload - headers_);
  esp_->prepare(job, inner - EspShape::kHead, {inner, inside}, next_header_,
                {.spi = spi_, .sequence = taken.number, .iv = taken.iv});
  packet->data_off = static_cast<std::uint16_t>(packet->data_off + payload_at - before);
  packet->data_len = static_cast<std::uint16_t>(kFront + sealed);
  packet->pkt_len = packet->data_len;
  tag.udp_at = kFront - kUdpHeader;
  tag.l3_at = kEthernet;
  tag.flags = 0;
  set_tag(packet, tag);
  return std::nullopt;
}

void EspSealer::inherit(EspSealer& old) noexcept {
  numbers_.swap_lease(old.numbers_);
  inner_.packets = old.inner_.packets;
}

}  // namespace castgate
