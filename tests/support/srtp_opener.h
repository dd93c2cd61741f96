// SPDX-License-Identifier: Apache-2.0
// Keys of the tests' own, and what opens one SRTP packet under an index that the test counts.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "dataplane/base/rtp/header.h"
#include "dataplane/base/srtp/srtp_cm.h"
#include "dataplane/base/srtp/srtp_gcm.h"
#include "dataplane/contract/protect_spec.h"
#include "tests/support/one_key.h"
#include "tests/support/packets.h"

namespace castgate::test {

inline SharedKey key_of(std::size_t length, unsigned seed) {
  std::vector<std::byte> bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::byte>(i * 7 + seed);
  return share_key(bytes);
}

inline ProtectSpec protect_of(ProtectProfile profile, unsigned seed = 1) {
  ProtectSpec spec;
  spec.profile = profile;
  spec.key_file = "key " + std::to_string(seed);
  spec.keys = one_key(key_of(key_file_bytes(spec), seed));
  return spec;
}

// Opens with the session keys alone; the index is the test's own count.
class SrtpOpener {
 public:
  explicit SrtpOpener(const ProtectSpec& spec) : spec_(spec) {
    SrtpMaster master;
    const auto bytes = spec.keys[0].key->bytes();
    std::ranges::copy(bytes.first(16), master.key.begin());
    std::ranges::copy(bytes.subspan(16), master.salt.begin());
    gcm_ = make_secret<SrtpGcm>(ciphers_, master);
    cm_ = make_secret<SrtpCm>(ciphers_, master, 10u);
  }
  // Nothing where it does not open.
  Bytes open(const Bytes& sealed, std::uint64_t index) {
    const std::size_t tag = srtp_growth(spec_);
    Bytes packet = sealed;
    auto* at = reinterpret_cast<std::byte*>(packet.data());
    const std::size_t length = packet.size() - tag;
    const SrtpPacket rtp{at, length, rtp_header_length(at, length), index};
    bool good = false;
    if (spec_.profile == ProtectProfile::SrtpGcm) {
      good = gcm_->open(ciphers_.manager(), rtp);
    } else {
      batch_.add(*cm_, rtp);
      good = batch_.open(ciphers_.manager())[0];
    }
    packet.resize(good ? length : 0);
    return packet;
  }

 private:
  ProtectSpec spec_;
  Ciphers ciphers_ = *Ciphers::make();
  Secret<SrtpGcm> gcm_;
  Secret<SrtpCm> cm_;
  SrtpCmBatch batch_;
};

}  // namespace castgate::test
