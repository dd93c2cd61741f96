// SPDX-License-Identifier: Apache-2.0
#include "dataplane/open/opener.h"

#include "dataplane/base/check.h"

namespace castgate {

Opener::Opener(const Ciphers& ciphers, const OpenSpec& spec)
    : spec_(spec), indexes_(spec.replay_window, spec.roc) {
  CG_CHECK(spec.key && spec.key->bytes().size() == key_file_bytes(spec));
  if (spec.is_esp()) {
    esp_ = std::make_unique<EspOpener>(ciphers, spec);
    return;
  }
  const auto master = read_srtp_master(spec.key->bytes(), static_cast<KeyBits>(spec.key_bits));
  if (spec.profile == OpenProfile::SrtpGcm) {
    gcm_ = make_secret<SrtpGcm>(ciphers, *master);
  } else {
    cm_ = make_secret<SrtpCm>(ciphers, *master, std::size_t{spec.tag_bits} / 8);
  }
}

void Opener::inherit(const Opener& old) noexcept {
  if (!spec_.has_same_key(old.spec_)) {
    indexes_.go_on_after(old.indexes_);
  } else if (esp_) {
    esp_->inherit(*old.esp_);
  } else {
    indexes_.inherit(old.indexes_);
  }
  opened.add(old.opened.get());
  for (std::size_t reason = 0; reason < kDropReasons; ++reason)
    drops[reason].add(old.drops[reason].get());
}

Openers make_openers(const StreamSpec& stream, const Ciphers& ciphers) {
  Openers made;
  if (!is_opened(stream)) return made;
  for (const LegSpec& leg : stream.legs) {
    made.push_back(leg.open.is_on() ? std::make_unique<Opener>(ciphers, leg.open) : nullptr);
  }
  return made;
}

}  // namespace castgate
