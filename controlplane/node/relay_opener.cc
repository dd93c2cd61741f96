// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/relay_opener.h"

#include <algorithm>
#include <cstring>
#include <ranges>
#include <utility>

namespace castgate {

Result<std::unique_ptr<RelayOpener>> RelayOpener::make(const OpenOption& option) {
  auto ciphers = Ciphers::make();
  if (!ciphers) return std::unexpected(ciphers.error());
  return std::unique_ptr<RelayOpener>(new RelayOpener(option, std::move(*ciphers)));
}

RelayOpener::RelayOpener(const OpenOption& option, Ciphers ciphers)
    : sealed_(option.sealed), ciphers_(std::move(ciphers)) {
  const ProtectSpec& sealed = option.sealed;
  const auto bits = static_cast<KeyBits>(sealed.key_bits);
  if (sealed.is_esp()) {
    esp_ = std::make_unique<EspInbound>(
        EspInbound::Terms{.extended = sealed.esn, .window = option.replay_window});
    for (const EpochKey& key : sealed.keys)
      esp_->add(ciphers_, *read_esp_master(key.key->bytes(), bits), spi_of(sealed, key.epoch));
    selector_.to = option.inner_to;
    return;
  }
  srtp_ = std::make_unique<SrtpInbound>(
      SrtpInbound::Terms{.gcm = sealed.profile == ProtectProfile::SrtpGcm,
                         .tag = std::size_t{sealed.tag_bits} / 8,
                         .mki = sealed.mki_bytes,
                         .window = option.replay_window,
                         .roll_over = option.roll_over});
  for (const EpochKey& key : sealed.keys)
    srtp_->add(ciphers_, *read_srtp_master(key.key->bytes(), bits), key.epoch);
}

void RelayOpener::inherit(const RelayOpener& old) noexcept {
  if (srtp_ && old.srtp_) {
    const bool any =
        sealed_.profile == old.sealed_.profile && have_one(sealed_.keys, old.sealed_.keys);
    srtp_->inherit(*old.srtp_, any);
  }
  if (!esp_ || !old.esp_) return;
  each_same(sealed_.keys, old.sealed_.keys, [&](std::uint32_t epoch, std::uint32_t before) {
    const std::uint32_t spi = spi_of(sealed_, epoch);
    if (spi == spi_of(old.sealed_, before)) esp_->inherit(*old.esp_, spi);
  });
}

RelayOpener::Verdict RelayOpener::open_esp(NodePacket& packet, Instant now) noexcept {
  const std::span<std::byte> sealed(packet.bytes.data(), packet.length);
  if (is_beside_esp(sealed)) return Verdict::Foreign;
  const auto opened = esp_->open(ciphers_.manager(), sealed, spare_->bytes, now);
  if (!opened) {
    switch (opened.error()) {
      case EspFault::Forged:
      case EspFault::Malformed:
        return Verdict::Forged;
      case EspFault::Replayed:
        return Verdict::Replayed;
      default:
        return Verdict::Foreign;
    }
  }
  PacketLayout layout;
  if (read_tunnelled(opened->inner, opened->next_header, selector_, layout))
    return Verdict::Foreign;
  constexpr std::size_t kUdpHeader = 8;
  const std::size_t payload_at = layout.udp_at + kUdpHeader;
  packet.length = static_cast<std::uint32_t>(layout.end - payload_at);
  std::memmove(packet.bytes.data(), opened->inner.data() + payload_at, packet.length);
  return Verdict::Genuine;
}

RelayOpener::Verdict RelayOpener::open_srtp(NodePacket& packet, Instant now) noexcept {
  SrtpInbound::Packet came;
  auto why = srtp_->read({packet.bytes.data(), packet.length}, now, came);
  if (!why) {
    const SrtpInbound::Bench bench{ciphers_.manager(), batch_, spare_->bytes};
    why = srtp_->open(bench, came, now);
  }
  if (!why) {
    packet.length = static_cast<std::uint32_t>(came.rtp.length);
    return Verdict::Genuine;
  }
  switch (*why) {
    case SrtpFault::Malformed:
    case SrtpFault::Forged:
      return Verdict::Forged;
    case SrtpFault::Replayed:
      return Verdict::Replayed;
    case SrtpFault::Rtcp:
    case SrtpFault::OtherMki:
      return Verdict::Foreign;
  }
  std::unreachable();
}

RelayOpener::Verdict RelayOpener::open(NodePacket& packet, Instant now) noexcept {
  return esp_ ? open_esp(packet, now) : open_srtp(packet, now);
}

}  // namespace castgate
