// SPDX-License-Identifier: Apache-2.0
#include "dataplane/protect/protect_stage.h"

#include <cstring>
#include <utility>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/rtp/header.h"

namespace castgate {
namespace {

// Behind the tag (RFC 7714 8.2); of AES-CM before it (RFC 3711 3.1). `end`: of what was encrypted.
void add_mki(std::byte* end, const Rendition& rendition) noexcept {
  const std::uint32_t length = rendition.mki_bytes();
  const std::uint32_t tag = rendition.growth() - length;
  std::byte* at = end + tag;
  if (rendition.cm() != nullptr) {
    std::memmove(end + length, end, tag);
    at = end;
  }
  std::uint32_t epoch = rendition.epoch();
  for (std::uint32_t i = length; i-- > 0; epoch >>= 8) at[i] = static_cast<std::byte>(epoch);
}

}  // namespace

std::unique_ptr<ProtectStage> make_protect_stage(std::size_t streams, CryptoQueue* device) {
  auto ciphers = Ciphers::make();
  CG_CHECK(ciphers.has_value());
  return std::make_unique<ProtectStage>(streams, std::move(*ciphers), device);
}

ProtectStage::ProtectStage(std::size_t streams, Ciphers ciphers, CryptoQueue* device) noexcept
    : ciphers_(std::move(ciphers)),
      streams_(streams),
      device_(device != nullptr ? std::make_unique<DeviceSealer>(*device) : nullptr) {}

ProtectStage::~ProtectStage() {
  for (unsigned i = 0; i < batch_.size(); ++i) rte_pktmbuf_free(waiting_[i].packet);
}

void ProtectStage::install(std::size_t stream, Renditions& renditions) noexcept {
  finish();  // under the keys that they were given
  for (auto& wanted : renditions) {
    for (const auto& old : streams_[stream].renditions) {
      if (wanted && old) wanted->inherit(*old);
    }
  }
  Stream& own = streams_[stream];
  std::swap(own.renditions, renditions);
  if (own.renditions.empty()) own.not_sealed.add(0 - own.not_sealed.get());  // from 0 on again
  const bool is_esp = own.renditions.size() == 1 && own.renditions[0]->esp() != nullptr;
  own.esp = is_esp ? own.renditions[0].get() : nullptr;
}

std::uint64_t ProtectStage::packets(std::size_t stream) const noexcept {
  std::uint64_t sum = 0;
  for (const auto& rendition : streams_[stream].renditions)
    sum += rendition ? rendition->packets() : 0;
  return sum;
}

[[gnu::cold]] void ProtectStage::refuse(rte_mbuf* packet, std::uint16_t stream,
                                        DropReason why) noexcept {
  streams_[stream].not_sealed.add();
  bin_.drop(packet, why);
}

// Of those that wait in gcm_ the first is encrypted, and leaves.
[[gnu::always_inline]] inline void ProtectStage::seal_first() noexcept {
  out().emit(sealing_[gcm_.seal_first(ciphers_.manager())], now_);
}

[[gnu::always_inline]] inline void ProtectStage::seal_esp(rte_mbuf* packet, const PacketTag& tag,
                                                          Rendition& rendition) noexcept {
  if (!may_seal(rendition)) return refuse(packet, tag.stream, DropReason::KeySpent);
  if (gcm_.full()) seal_first();
  if (const auto why = rendition.esp()->prepare(gcm_.job(gcm_.next()), packet, tag))
    return refuse(packet, tag.stream, *why);
  rendition.count();
  if (const CryptoSession* session = rendition.session()) [[unlikely]]
    return hand_over(gcm_.job(gcm_.next()), packet, *session);
  sealing_[gcm_.next()] = packet;
  gcm_.add();
}

[[gnu::always_inline]] inline bool ProtectStage::may_seal(Rendition& rendition) noexcept {
  return rendition.is_young(now_) || take_turn(rendition);
}

// What waits under a key is sealed before it is wiped.
[[gnu::noinline]] bool ProtectStage::take_turn(Rendition& rendition) noexcept {
  if (rendition.is_due(now_)) {
    while (gcm_.size() != 0) seal_first();
    work();
    rendition.begin_next(now_);
  }
  return !rendition.is_spent(now_);
}

void ProtectStage::process(std::span<rte_mbuf* const> burst, Instant now) noexcept {
  now_ = now;
  for (rte_mbuf* packet : burst) {
    PacketTag tag = tag_of(packet);
    const Stream& stream = streams_[tag.stream];
    if (stream.esp != nullptr) {
      tag.rendition = 0;
      seal_esp(packet, tag, *stream.esp);
    } else if (stream.renditions.empty()) {
      out().emit(packet, now_);
    } else {
      protect(packet, tag);
    }
  }
  while (gcm_.size() != 0) seal_first();
  out().flush(now_);
  bin_.flush();
}

// The last rendition gets the packet itself: the clear one, which needs no other bytes, else any.
void ProtectStage::protect(rte_mbuf* packet, const PacketTag& tag) noexcept {
  const Renditions& renditions = streams_[tag.stream].renditions;
  PacketTag own = tag;
  if (renditions.size() == 1) [[likely]] {
    own.rendition = 0;
    return seal(packet, own, *renditions[0]);
  }
  const bool any_clear = renditions[0] == nullptr;
  for (std::size_t r = any_clear ? 1 : 0; r < renditions.size(); ++r) {
    own.rendition = static_cast<std::uint8_t>(r);
    if (!any_clear && r + 1 == renditions.size()) return seal(packet, own, *renditions[r]);
    created_.add();
    rte_mbuf* copy = copy_of(packet);
    if (copy == nullptr) {
      bin_.note(DropReason::SealCopyFailed);
      streams_[tag.stream].not_sealed.add();
      continue;
    }
    seal(copy, own, *renditions[r]);
  }
  own.rendition = 0;
  set_tag(packet, own);
  out().emit(packet, now_);
}

rte_mbuf* ProtectStage::copy_of(const rte_mbuf* packet) noexcept {
  rte_mbuf* copy = rte_pktmbuf_alloc(pool_);
  if (copy == nullptr) return nullptr;
  copy->data_off = packet->data_off;
  if (packet->data_len > rte_pktmbuf_tailroom(copy)) {
    rte_pktmbuf_free(copy);
    return nullptr;
  }
  copy->data_len = packet->data_len;
  copy->pkt_len = packet->data_len;
  std::memcpy(rte_pktmbuf_mtod(copy, void*), rte_pktmbuf_mtod(packet, const void*),
              packet->data_len);
  return copy;
}

void ProtectStage::seal(rte_mbuf* packet, const PacketTag& tag, Rendition& rendition) noexcept {
  constexpr std::size_t kSequenceAt = 2;
  if (rendition.esp() != nullptr) return seal_esp(packet, tag, rendition);
  set_tag(packet, tag);
  auto* payload = rte_pktmbuf_mtod_offset(packet, std::byte*, tag.udp_at + 8u);
  const std::size_t length = packet->data_len - (tag.udp_at + 8u);
  const std::size_t header = rtp_header_length(payload, length);
  if (header == 0) return refuse(packet, tag.stream, DropReason::SealNotRtp);
  const std::size_t room =
      rendition.cm() != nullptr ? SrtpCmBatch::kRoom + rendition.mki_bytes() : rendition.growth();
  if (rte_pktmbuf_tailroom(packet) < room)
    return refuse(packet, tag.stream, DropReason::SealNoRoom);
  if (!may_seal(rendition)) return refuse(packet, tag.stream, DropReason::KeySpent);
  SrtpPacket rtp{payload, length, header, 0};
  switch (rendition.take(load_be16(payload + kSequenceAt), rtp.index)) {
    case Rendition::Index::Used:
      return refuse(packet, tag.stream, DropReason::NonceUsed);
    case Rendition::Index::Spent:
      return refuse(packet, tag.stream, DropReason::KeySpent);
    case Rendition::Index::Taken:
      break;
  }
  if (rendition.gcm() != nullptr) return seal_gcm(packet, rtp, rendition);
  if (!batch_.takes(*rendition.cm())) work();
  waiting_[batch_.size()] = {packet, &rendition};
  batch_.add(*rendition.cm(), rtp);
}

void ProtectStage::seal_gcm(rte_mbuf* packet, const SrtpPacket& rtp,
                            const Rendition& rendition) noexcept {
  if (gcm_.full()) seal_first();
  rendition.gcm()->prepare(gcm_.job(gcm_.next()), rtp, rtp.at);
  lengthen(packet, rendition);
  if (const CryptoSession* session = rendition.session())
    return hand_over(gcm_.job(gcm_.next()), packet, *session);
  sealing_[gcm_.next()] = packet;
  gcm_.add();
}

// A session is for messages of one kind; what is otherwise (an RTP header with an extension) is
// sealed here, and leaves behind what the device has of the stream.
void ProtectStage::hand_over(const GcmJob& job, rte_mbuf* packet,
                             const CryptoSession& session) noexcept {
  const bool fits = job.message.bound.size() == session.bound;
  if (!fits) job.seal(ciphers_.manager());
  if (fits ? device_->add(job, packet, session) : device_->add_sealed(packet)) return;
  refuse(packet, tag_of(packet).stream, DropReason::CryptoBusy);
}

void ProtectStage::take_from_device() noexcept {
  device_->work();
  bool good = false;
  while (rte_mbuf* packet = device_->take(good)) {
    if (good) {
      out().emit(packet, now_);
    } else {
      refuse(packet, tag_of(packet).stream, DropReason::CryptoError);
    }
  }
  out().flush(now_);
  bin_.flush();
}

void ProtectStage::work() noexcept {
  if (device_ && device_->size() != 0) take_from_device();
  const unsigned count = batch_.size();
  if (count == 0) return;
  batch_.seal(ciphers_.manager());
  for (unsigned i = 0; i < count; ++i) {
    lengthen(waiting_[i].packet, *waiting_[i].rendition);
    out().emit(waiting_[i].packet, now_);
  }
  out().flush(now_);
}

void ProtectStage::finish() noexcept {
  do {
    work();
  } while (held() != 0);
}

// The tag authenticates what the UDP checksum would find; over IPv6, where there must be one, it is
// summed when the headers are written. Lengths in the old headers are read by nobody but those who
// look on (ReplicateStage::show).
void ProtectStage::lengthen(rte_mbuf* packet, const Rendition& rendition) noexcept {
  if (rendition.mki_bytes() != 0) [[unlikely]]
    add_mki(rte_pktmbuf_mtod_offset(packet, std::byte*, packet->data_len), rendition);
  packet->data_len = static_cast<std::uint16_t>(packet->data_len + rendition.growth());
  packet->pkt_len = packet->data_len;
  constexpr std::size_t kChecksumAt = 6;
  store_be16(rte_pktmbuf_mtod_offset(packet, std::byte*, tag_of(packet).udp_at + kChecksumAt), 0);
}

}  // namespace castgate
