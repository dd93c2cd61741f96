// SPDX-License-Identifier: Apache-2.0
#include "dataplane/open/opener.h"

#include "dataplane/base/check.h"

namespace castgate {

Opener::Opener(const Ciphers& ciphers, const OpenSpec& spec)
    : spec_(spec), indexes_(spec.replay_window, spec.roc) {
  CG_CHECK(spec.key && spec.key->bytes().size() == key_file_bytes(spec));
  const auto master = read_srtp_master(spec.key->bytes(), static_cast<KeyBits>(spec.key_bits));
  if (spec.profile == OpenProfile::SrtpGcm) {
    gcm_ = make_secret<SrtpGcm>(ciphers, *master);
  } else {
    cm_ = make_secret<SrtpCm>(ciphers, *master, std::size_t{spec.tag_bits} / 8);
  }
}

void Opener::inherit(const Opener& old) noexcept {
  if (spec_.has_same_key(old.spec_)) {
    indexes_.inherit(old.indexes_);
  } else {
    indexes_.go_on_after(old.indexes_);
  }
  opened.add(old.opened.get());
  forged.add(old.forged.get());
  replayed.add(old.replayed.get());
  malformed.add(old.malformed.get());
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
