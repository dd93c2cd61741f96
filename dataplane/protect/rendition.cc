// SPDX-License-Identifier: Apache-2.0
#include "dataplane/protect/rendition.h"

#include <algorithm>

#include "dataplane/base/check.h"

namespace castgate {

// The key of the cipher itself. A device without room for another one leaves it to the worker.
CryptoSession Rendition::session_of(const Ciphers& ciphers, const ProtectSpec& spec,
                                    const KeyBytes& key, CryptoQueue& device) {
  constexpr std::size_t kRtpHeader = 12;
  const std::size_t length = spec.key_bits / 8;
  std::size_t bound = kRtpHeader;
  const auto own = make_secret<std::array<std::byte, 32>>();
  if (spec.is_esp()) {
    std::ranges::copy(key.bytes().first(length), own->begin());
    bound = spec.esn ? 12 : 8;
  } else {
    const auto master = read_srtp_master(key.bytes(), static_cast<KeyBits>(spec.key_bits));
    derive_srtp_key(ciphers, *master, SrtpLabel::RtpKey, std::span(*own).first(length));
  }
  auto made = device.make_session(std::span(*own).first(length), bound);
  return made ? *std::move(made) : CryptoSession{};
}

Rendition::Epoch Rendition::make_epoch(const Ciphers& ciphers, const ProtectSpec& spec,
                                       const EpochKey& key, CryptoQueue* device) {
  CG_CHECK(key.key && key.key->bytes().size() == key_file_bytes(spec));
  Epoch made{};
  made.number = key.epoch;
  made.key = key.key;
  if (device != nullptr) made.session = session_of(ciphers, spec, *key.key, *device);
  if (spec.is_esp()) {
    made.esp = std::make_unique<EspSealer>(ciphers, spec, key);
    return made;
  }
  const auto master = read_srtp_master(key.key->bytes(), static_cast<KeyBits>(spec.key_bits));
  if (spec.profile == ProtectProfile::SrtpGcm) {
    made.gcm = make_secret<SrtpGcm>(ciphers, *master);
  } else {
    made.cm = make_secret<SrtpCm>(ciphers, *master, std::size_t{spec.tag_bits} / 8);
  }
  return made;
}

Rendition::Rendition(const Ciphers& ciphers, const ProtectSpec& spec, CryptoQueue* device)
    : growth_(spec.is_srtp() ? srtp_growth(spec) : 0),
      mki_bytes_(spec.mki_bytes),
      life_(life_of(spec)),
      lease_(spec.epochs) {
  const std::uint32_t first = lease_ ? lease_->current() : 0;
  for (const EpochKey& key : spec.keys) {
    if (key.epoch >= first) epochs_.push_back(make_epoch(ciphers, spec, key, device));
  }
  CG_CHECK(!epochs_.empty());
  use(0);
}

void Rendition::use(std::size_t at) noexcept {
  at_ = at;
  gcm_ = epochs_[at].gcm.get();
  cm_ = epochs_[at].cm.get();
  esp_ = epochs_[at].esp.get();
  session_ = epochs_[at].session.handle ? &epochs_[at].session : nullptr;
}

// From began_ and first_ on.
void Rendition::begin_life(Instant now) noexcept {
  if (!has_begun_) {
    has_begun_ = true;
    began_ = now;
    first_ = packets_;
  }
  hard_end_ = first_ + life_.hard_packets;
  hard_due_ = began_ + life_.hard_time;
  soft_end_ = std::min(first_ + life_.soft_packets, hard_end_);
  soft_due_ = std::min(began_ + life_.soft_time, hard_due_);
  if (lease_) lease_->begin(epoch());
}

bool Rendition::may_follow() const noexcept {
  const Epoch& next = epochs_[at_ + 1];
  if (lease_ && lease_->allowed() < next.number) return false;
  return !next.esp || next.esp->has_numbers();
}

bool Rendition::is_due(Instant now) noexcept {
  if (hard_end_ == 0) begin_life(now);
  if (is_young(now)) return false;
  if (at_ + 1 == epochs_.size()) {
    if (lease_) lease_->set_overdue(true);
    soft_end_ = hard_end_;
    soft_due_ = hard_due_;
    return false;
  }
  if (may_follow()) return true;
  if (lease_) lease_->want(epochs_[at_ + 1].number);
  soft_end_ = std::min(packets_ + kPatiencePackets, hard_end_);
  soft_due_ = std::min(now + kPatience, hard_due_);
  return false;
}

void Rendition::begin_next(Instant now) noexcept {
  wipe(epochs_[at_]);
  use(at_ + 1);
  has_begun_ = false;
  begin_life(now);
}

// Its memory is given back later, by a thread that may wait.
void Rendition::wipe(Epoch& epoch) noexcept {
  if (epoch.gcm) wipe_secret(*epoch.gcm);
  if (epoch.cm) wipe_secret(*epoch.cm);
  if (epoch.esp) epoch.esp->wipe();
}

Rendition::Index Rendition::take(std::uint16_t sequence, std::uint64_t& index) noexcept {
  index = sent_.next() == 0 ? sequence : nearest_srtp_index(sent_.next() - 1, sequence);
  if (index >= kSrtpIndexes) {
    // Before the first one, or after the last.
    return sent_.next() > kSrtpIndexes / 2 ? Index::Spent : Index::Used;
  }
  if (!sent_.is_new(index)) return Index::Used;
  sent_.commit(index);
  count();
  return Index::Taken;
}

void Rendition::inherit(Rendition& old) noexcept {
  bool any = false;
  for (std::size_t i = 0; i < epochs_.size(); ++i) {
    const auto same = std::ranges::find_if(
        old.epochs_, [&](const Epoch& other) { return *other.key == *epochs_[i].key; });
    if (same == old.epochs_.end()) continue;
    any = true;
    if (epochs_[i].esp && same->esp) epochs_[i].esp->inherit(*same->esp);
    if (&*same != &old.epochs_[old.at_]) continue;
    use(i);
    has_begun_ = old.has_begun_;
    began_ = old.began_;
    first_ = old.first_;
  }
  if (!any) return;
  words_ = old.words_;
  sent_ = old.sent_.over(words_);
  packets_ = old.packets_;
}

Renditions make_renditions(const StreamSpec& stream, const Ciphers& ciphers, CryptoQueue* device) {
  Renditions made;
  if (!is_protected(stream)) return made;
  for (const ProtectSpec& spec : renditions_of(stream)) {
    CryptoQueue* own = spec.backend == ProtectBackend::Cryptodev ? device : nullptr;
    made.push_back(spec.is_on() ? std::make_unique<Rendition>(ciphers, spec, own) : nullptr);
  }
  return made;
}

}  // namespace castgate
