// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/relay_opener.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/rtp/header.h"
#include "dataplane/base/srtp/srtp_index.h"

namespace castgate {
namespace {

constexpr unsigned kMostTurns = 65'535;  // that are tried beyond the likeliest one

}  // namespace

Result<std::unique_ptr<RelayOpener>> RelayOpener::make(const OpenOption& option) {
  auto ciphers = Ciphers::make();
  if (!ciphers) return std::unexpected(ciphers.error());
  return std::unique_ptr<RelayOpener>(new RelayOpener(option, std::move(*ciphers)));
}

RelayOpener::RelayOpener(const OpenOption& option, Ciphers ciphers)
    : ciphers_(std::move(ciphers)),
      replay_window_(option.replay_window),
      roll_over_(option.roll_over) {
  const auto bits = static_cast<KeyBits>(option.sealed.key_bits);
  if (option.sealed.is_esp()) {
    const auto master = read_esp_master(option.sealed.keys.front().key->bytes(), bits);
    const ProtectSpec& esp = option.sealed;
    esp_ = std::make_unique<EspInbound>(ciphers_, *master,
                                        EspInbound::Terms{esp.spi, esp.esn, option.replay_window});
    selector_.to = option.inner_to;
    return;
  }
  tag_ = srtp_growth(option.sealed);
  sources_.reserve(kSources);
  for (unsigned i = 0; i < kSources; ++i) sources_.emplace_back(replay_window_);
  const auto master = read_srtp_master(option.sealed.keys.front().key->bytes(), bits);
  if (option.sealed.profile == ProtectProfile::SrtpGcm) {
    gcm_ = make_secret<SrtpGcm>(ciphers_, *master);
  } else {
    cm_ = make_secret<SrtpCm>(ciphers_, *master, tag_);
    batch_ = std::make_unique<SrtpCmBatch>();
  }
}

RelayOpener::Source* RelayOpener::find(std::uint32_t ssrc) noexcept {
  const auto found = std::ranges::find_if(
      sources_, [&](const Source& source) { return !source.is_free() && source.ssrc == ssrc; });
  return found == sources_.end() ? nullptr : &*found;
}

// Its packet was genuine. A free place, or that of the source that was silent longest.
RelayOpener::Source& RelayOpener::place_for(std::uint32_t ssrc) noexcept {
  const auto rank = [](const Source& source) { return source.is_free() ? -1 : source.last.ns; };
  Source& place = *std::ranges::min_element(sources_, {}, rank);
  place.ssrc = ssrc;
  std::ranges::fill(place.words, 0);
  place.seen = ReplayWindow(place.words, replay_window_);
  roll_over_ = 0;  // the next one is a source that began anew
  return place;
}

bool RelayOpener::is_genuine(const SrtpPacket& packet) noexcept {
  if (gcm_) return gcm_->open(ciphers_.manager(), packet);
  batch_->add(*cm_, packet);
  return batch_->open(ciphers_.manager())[0];
}

RelayOpener::Verdict RelayOpener::judge(const Source* source, const SrtpPacket& packet) noexcept {
  if (source != nullptr && !source->seen.is_new(packet.index)) return Verdict::Replayed;
  if (packet.index >= kSrtpIndexes || !is_genuine(packet)) return Verdict::Forged;
  return Verdict::Genuine;
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

RelayOpener::Verdict RelayOpener::open(NodePacket& packet, Instant now) noexcept {
  if (esp_) return open_esp(packet, now);
  constexpr std::size_t kSequenceAt = 2;
  constexpr std::size_t kSsrcAt = 8;
  const std::size_t length = packet.length - std::min<std::size_t>(packet.length, tag_);
  std::byte* at = packet.bytes.data();
  const std::size_t header = rtp_header_length(at, length);
  if (header == 0) return Verdict::Forged;
  const auto ssrc = load_be32(at + kSsrcAt);
  const auto sequence = load_be16(at + kSequenceAt);
  Source* source = find(ssrc);
  const bool sure = source != nullptr && now - source->last < kLost;
  SrtpPacket sealed{at, length, header, std::uint64_t{roll_over_} << 16 | sequence};
  if (source != nullptr) sealed.index = nearest_srtp_index(source->seen.next() - 1, sequence);
  if (!sure) std::memcpy(spare_->bytes.data(), at, packet.length);
  Verdict verdict = judge(source, sealed);
  if (verdict != Verdict::Genuine && !sure) {
    std::memcpy(at, spare_->bytes.data(), packet.length);
    tries_ = tries_ % kMostTurns + 1;
    sealed.index += std::uint64_t{tries_} << 16;
    if (judge(source, sealed) == Verdict::Genuine) verdict = Verdict::Genuine;
  }
  if (verdict != Verdict::Genuine) return verdict;
  if (source == nullptr) source = &place_for(ssrc);
  source->seen.commit(sealed.index);
  source->last = now;
  tries_ = 0;
  packet.length = static_cast<std::uint32_t>(length);
  return Verdict::Genuine;
}

}  // namespace castgate
