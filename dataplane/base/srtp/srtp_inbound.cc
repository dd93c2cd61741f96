// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/srtp/srtp_inbound.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/rtp/header.h"
#include "dataplane/base/srtp/srtp_index.h"

namespace castgate {
namespace {

bool is_genuine(const SrtpInbound::Bench& bench, const SrtpInbound::Packet& packet) noexcept {
  if (packet.gcm != nullptr) return packet.gcm->open(bench.manager, packet.rtp);
  bench.batch.add(*packet.cm, packet.rtp);
  return bench.batch.open(bench.manager)[0];
}

// What a forgery decrypts to is nobody's to see.
SrtpFault wiped(const SrtpInbound::Packet& packet, SrtpFault why) noexcept {
  const SrtpPacket& rtp = packet.rtp;
  std::memset(rtp.at + rtp.header, 0, rtp.length - rtp.header);
  return why;
}

}  // namespace

void SrtpInbound::add(const Ciphers& ciphers, const SrtpMaster& master, std::uint32_t mki) {
  CG_CHECK(terms_.mki != 0 || keys_.empty());
  Key key{.mki = mki, .gcm = {}, .cm = {}};
  if (terms_.gcm) {
    key.gcm = make_secret<SrtpGcm>(ciphers, master);
  } else {
    key.cm = make_secret<SrtpCm>(ciphers, master, terms_.tag);
  }
  keys_.push_back(std::move(key));
}

// `end`: of the RTP packet. AES-CM's tag comes behind the MKI, that of AES-GCM before it (RFC 3711
// 3.1, 7714 7.1).
const SrtpInbound::Key* SrtpInbound::take_mki(std::byte* end) const noexcept {
  if (terms_.mki == 0) return keys_.data();
  const std::byte* at = terms_.gcm ? end + tag() : end;
  std::uint32_t mki = 0;
  for (unsigned i = 0; i < terms_.mki; ++i) mki = mki << 8 | std::to_integer<std::uint32_t>(at[i]);
  const auto found = std::ranges::find(keys_, mki, &Key::mki);
  if (found == keys_.end()) return nullptr;
  if (!terms_.gcm) std::memmove(end, end + terms_.mki, tag());
  return &*found;
}

std::optional<SrtpFault> SrtpInbound::read(std::span<std::byte> payload, Instant now,
                                           Packet& packet) const noexcept {
  constexpr std::size_t kSequenceAt = 2;
  constexpr std::size_t kSsrcAt = 8;
  if (is_rtcp(payload)) return SrtpFault::Rtcp;
  const std::size_t length = payload.size() - std::min(payload.size(), growth());
  std::byte* at = payload.data();
  const std::size_t header = rtp_header_length(at, length);
  if (header == 0) return SrtpFault::Malformed;
  const Key* key = take_mki(at + length);
  if (key == nullptr) return SrtpFault::OtherMki;
  const std::uint32_t ssrc = load_be32(at + kSsrcAt);
  const auto guess = indexes_.guess(ssrc, load_be16(at + kSequenceAt), now);
  packet = {.rtp = {at, length, header, guess.index},
            .ssrc = ssrc,
            .gcm = key->gcm.get(),
            .cm = key->cm.get(),
            .is_new = guess.is_new,
            .is_sure = guess.is_sure};
  if (guess.is_sure && !guess.is_new) return SrtpFault::Replayed;
  return std::nullopt;
}

std::optional<SrtpFault> SrtpInbound::open(const Bench& bench, Packet& packet,
                                           Instant now) noexcept {
  if (!packet.is_sure) return search(bench, packet, now);
  if (!is_genuine(bench, packet)) return wiped(packet, SrtpFault::Forged);
  if (!finish(packet, now)) return SrtpFault::Replayed;
  return std::nullopt;
}

std::optional<SrtpFault> SrtpInbound::search(const Bench& bench, Packet& packet,
                                             Instant now) noexcept {
  SrtpPacket& rtp = packet.rtp;
  const std::span<std::byte> whole(rtp.at, rtp.length + tag());
  const bool has_copy = whole.size() <= bench.spare.size();
  if (has_copy) std::ranges::copy(whole, bench.spare.begin());
  const auto opens = [&] { return is_genuine(bench, packet) && finish(packet, now); };
  if (packet.is_new && opens()) return std::nullopt;
  const SrtpFault why = packet.is_new ? SrtpFault::Forged : SrtpFault::Replayed;
  if (!has_copy) return wiped(packet, why);
  const auto draw = load_raw<std::uint32_t>(bench.spare.data() + rtp.length);
  for (const std::uint64_t index : indexes_.others(packet.ssrc, rtp.index, draw)) {
    if (index >= kSrtpIndexes) continue;
    std::ranges::copy(bench.spare.first(whole.size()), whole.begin());
    rtp.index = index;
    if (opens()) return std::nullopt;
  }
  return wiped(packet, why);
}

}  // namespace castgate
