// SPDX-License-Identifier: Apache-2.0
#include "dataplane/protect/rendition.h"

#include "dataplane/base/check.h"

namespace castgate {

Rendition::Rendition(const Ciphers& ciphers, const ProtectSpec& spec)
    : key_(spec.key), most_(spec.max_packets == 0 ? kSrtpIndexes : spec.max_packets) {
  CG_CHECK(spec.key && spec.key->bytes().size() == key_file_bytes(spec));
  if (spec.is_esp()) {
    esp_ = std::make_unique<EspSealer>(ciphers, spec);
    return;
  }
  growth_ = srtp_growth(spec);
  const auto master = read_srtp_master(spec.key->bytes(), static_cast<KeyBits>(spec.key_bits));
  if (spec.profile == ProtectProfile::SrtpGcm) {
    gcm_ = make_secret<SrtpGcm>(ciphers, *master);
  } else {
    cm_ = make_secret<SrtpCm>(ciphers, *master, std::size_t{spec.tag_bits} / 8);
  }
}

Rendition::Index Rendition::take(std::uint16_t sequence, std::uint64_t& index) noexcept {
  index = sent_.next() == 0 ? sequence : nearest_srtp_index(sent_.next() - 1, sequence);
  if (index >= kSrtpIndexes) {
    // Before the first one, or after the last.
    return sent_.next() > kSrtpIndexes / 2 ? Index::Spent : Index::Used;
  }
  if (!sent_.is_new(index)) return Index::Used;
  if (packets_ >= most_) return Index::Spent;
  sent_.commit(index);
  ++packets_;
  return Index::Taken;
}

void Rendition::inherit(Rendition& old) noexcept {
  if (!(*key_ == *old.key_)) return;
  if (esp_ && old.esp_) return esp_->inherit(*old.esp_);
  words_ = old.words_;
  sent_ = old.sent_.over(words_);
  packets_ = old.packets_;
}

Renditions make_renditions(const StreamSpec& stream, const Ciphers& ciphers) {
  Renditions made;
  if (!is_protected(stream)) return made;
  for (const ProtectSpec& spec : renditions_of(stream)) {
    made.push_back(spec.is_on() ? std::make_unique<Rendition>(ciphers, spec) : nullptr);
  }
  return made;
}

}  // namespace castgate
