// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/srtp/srtp_gcm.h"

#include "dataplane/base/protect/secret_memory.h"

namespace castgate {
namespace {

GcmKey session_key(const Ciphers& ciphers, const SrtpMaster& master) {
  const auto key = make_secret<std::array<std::byte, 32>>();
  const std::span<std::byte> used(key->data(), key_bytes(master.bits));
  derive_srtp_key(ciphers, master, SrtpLabel::RtpKey, used);
  return {ciphers, used};
}

}  // namespace

SrtpGcm::SrtpGcm(const Ciphers& ciphers, const SrtpMaster& master)
    : key_(session_key(ciphers, master)) {
  derive_srtp_key(ciphers, master, SrtpLabel::RtpSalt, salt_);
}

}  // namespace castgate
