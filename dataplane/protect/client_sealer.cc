// SPDX-License-Identifier: Apache-2.0
#include "dataplane/protect/client_sealer.h"

#include <cstring>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/check.h"
#include "dataplane/base/rtp/header.h"

namespace castgate {
namespace {

// Keys of clients lie in memory one behind the other and are read once a packet: each is fetched
// while those before it are at work.
constexpr std::size_t kGcmKey = sizeof(GcmKey);
constexpr std::size_t kCmKey = sizeof(SrtpCm);

template <std::size_t kBytes>
[[gnu::always_inline]] inline void fetch_at(std::span<ClientSealer::Copy> copies,
                                            std::size_t at) noexcept {
  if (at < copies.size()) copies[at].seal->fetch(kBytes);
}

}  // namespace

std::unique_ptr<ClientSealer> make_client_sealer() {
  auto ciphers = Ciphers::make();
  CG_CHECK(ciphers.has_value());
  return std::make_unique<ClientSealer>(std::move(*ciphers));
}

void ClientSealer::fetch(const ClientSealing& sealing, const ClientSeal& seal) noexcept {
  seal.fetch(sealing.profile() == ProtectProfile::SrtpGcm ? kGcmKey : kCmKey);
}

ClientSealing::ClientSealing(const ProtectSpec& spec) noexcept {
  if (!spec.is_isolated()) return;
  profile_ = spec.profile;
  growth_ = static_cast<std::uint8_t>(srtp_growth(spec));
  room_ = profile_ == ProtectProfile::SrtpCm ? SrtpCmBatch::kRoom : growth_;
}

std::optional<DropReason> ClientSealer::seal(const ClientSealing& sealing,
                                             std::span<const std::byte> clear,
                                             std::span<Copy> copies) noexcept {
  CG_DCHECK(copies.size() <= kMost);
  const std::size_t header = rtp_header_length(clear.data(), clear.size());
  if (header == 0) return DropReason::SealNotRtp;
  const Clear packet{clear.data(), clear.size(), header};
  if (sealing.profile() == ProtectProfile::SrtpGcm) {
    seal_gcm(packet, copies);
  } else {
    seal_cm(packet, copies);
  }
  return std::nullopt;
}

// The header as the client gets it: its own numbers, and the source's time.
[[gnu::always_inline]] inline SrtpPacket ClientSealer::begin(const Clear& clear, const Copy& copy,
                                                             std::uint64_t index) noexcept {
  constexpr std::size_t kSequenceAt = 2;
  constexpr std::size_t kSsrcAt = 8;
  std::memcpy(copy.to, clear.at, clear.header);
  store_be16(copy.to + kSequenceAt, static_cast<std::uint16_t>(index));
  store_be32(copy.to + kSsrcAt, copy.seal->ssrc());
  return {copy.to, clear.length, clear.header, index};
}

void ClientSealer::seal_gcm(const Clear& clear, std::span<Copy> copies) noexcept {
  IMB_MGR* manager = ciphers_.manager();
  for (std::size_t i = 0; i < kAhead; ++i) fetch_at<kGcmKey>(copies, i);
  for (std::size_t i = 0; i < copies.size(); ++i) {
    Copy& copy = copies[i];
    fetch_at<kGcmKey>(copies, i + kAhead);
    std::uint64_t index = 0;
    copy.sealed = copy.seal->take(index);
    if (!copy.sealed) continue;
    if (gcm_.full()) gcm_.seal_first(manager);
    const ClientSeal& seal = *copy.seal;
    SrtpGcm::prepare(gcm_.job(gcm_.next()), seal.gcm(), seal.gcm_salt(), begin(clear, copy, index),
                     clear.at);
    gcm_.add();
  }
  while (gcm_.size() != 0) gcm_.seal_first(manager);
}

void ClientSealer::seal_cm(const Clear& clear, std::span<Copy> copies) noexcept {
  for (std::size_t i = 0; i < copies.size(); ++i) {
    Copy& copy = copies[i];
    fetch_at<kCmKey>(copies, i + kAhead);
    std::uint64_t index = 0;
    copy.sealed = copy.seal->take(index);
    if (copy.sealed) cm_.add(copy.seal->cm(), begin(clear, copy, index), clear.at);
  }
  cm_.seal(ciphers_.manager());
}

}  // namespace castgate
