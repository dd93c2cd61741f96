// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/srtp/srtp_keys.h"

#include <algorithm>

#include "dataplane/base/check.h"

namespace castgate {

Secret<SrtpMaster> read_srtp_master(std::span<const std::byte> bytes, KeyBits bits) {
  auto master = make_secret<SrtpMaster>();
  master->bits = bits;
  const std::size_t key = key_bytes(bits);
  CG_CHECK(bytes.size() > key && bytes.size() <= key + master->salt.size());
  std::ranges::copy(bytes.first(key), master->key.begin());
  std::ranges::copy(bytes.subspan(key), master->salt.begin());
  return master;
}

void derive_srtp_key(const Ciphers& ciphers, const SrtpMaster& master, SrtpLabel label,
                     std::span<std::byte> into) {
  std::array<std::byte, 16> counter{};
  std::ranges::copy(master.salt, counter.begin());
  counter[7] ^= static_cast<std::byte>(label);
  aes_key_stream(ciphers, master.key_span(), counter, into);
}

}  // namespace castgate
