// SPDX-License-Identifier: Apache-2.0
#include "dataplane/protect/client_seal.h"

#include <cstring>
#include <type_traits>

#include "dataplane/base/check.h"
#include "dataplane/base/srtp/srtp_index.h"

namespace castgate {

static_assert(std::is_trivially_destructible_v<GcmKey> && std::is_trivially_destructible_v<SrtpCm>);

void ClientSeal::set(const Ciphers& ciphers, const ProtectSpec& spec, const ClientKey& key) {
  CG_CHECK(spec.is_isolated() && key.key.bytes().size() == key_file_bytes(spec));
  wipe();
  const auto master = read_srtp_master(key.key.bytes(), static_cast<KeyBits>(spec.key_bits));
  if (spec.profile == ProtectProfile::SrtpGcm) {
    const auto made = make_secret<SrtpGcm>(ciphers, *master);
    make<GcmKey>(made->key());
    salt_ = made->salt();
  } else {
    make<SrtpCm>(ciphers, *master, std::size_t{spec.tag_bits} / 8);
  }
  ssrc_ = key.ssrc;
  drops_ = 0;
  end_ = spec.max_packets == 0 ? kSrtpIndexes : spec.max_packets;
}

void ClientSeal::wipe() noexcept {
  explicit_bzero(key_.data(), key_.size());
  explicit_bzero(salt_.data(), salt_.size());
  next_ = end_ = 0;
  ssrc_ = 0;
}

}  // namespace castgate
