// SPDX-License-Identifier: Apache-2.0
#include "dataplane/open/opener.h"

#include <algorithm>
#include <ranges>

#include "dataplane/base/check.h"

namespace castgate {

namespace {

std::unique_ptr<SrtpInbound> make_srtp(const Ciphers& ciphers, const OpenSpec& spec) {
  auto made =
      std::make_unique<SrtpInbound>(SrtpInbound::Terms{.gcm = spec.profile == OpenProfile::SrtpGcm,
                                                       .tag = std::size_t{spec.tag_bits} / 8,
                                                       .mki = spec.mki_bytes,
                                                       .window = spec.replay_window,
                                                       .roll_over = spec.roc});
  for (const EpochKey& key : spec.keys) {
    const auto bits = static_cast<KeyBits>(spec.key_bits);
    made->add(ciphers, *read_srtp_master(key.key->bytes(), bits), key.epoch);
  }
  return made;
}

}  // namespace

Opener::Opener(const Ciphers& ciphers, const OpenSpec& spec) : spec_(spec) {
  CG_CHECK(!spec.keys.empty());
  if (spec.is_esp()) {
    esp_ = std::make_unique<EspOpener>(ciphers, spec);
  } else {
    srtp_ = make_srtp(ciphers, spec);
  }
}

void Opener::inherit(const Opener& old) noexcept {
  const bool is_same = spec_.profile == old.spec_.profile;
  if (srtp_ && old.srtp_)
    srtp_->inherit(*old.srtp_, is_same && have_one(spec_.keys, old.spec_.keys));
  if (esp_ && old.esp_ && is_same) {
    each_same(spec_.keys, old.spec_.keys, [&](std::uint32_t epoch, std::uint32_t before) {
      const std::uint32_t spi = spec_.spi_of(epoch);
      if (spi == old.spec_.spi_of(before)) esp_->inherit(*old.esp_, spi);
    });
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
