// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/srtp/srtp_keys.h"

#include <algorithm>

namespace castgate {

void derive_srtp_key(const Ciphers& ciphers, const SrtpMaster& master, SrtpLabel label,
                     std::span<std::byte> into) {
  std::array<std::byte, 16> counter{};
  std::ranges::copy(master.salt, counter.begin());
  counter[7] ^= static_cast<std::byte>(label);
  aes_key_stream(ciphers, master.key_span(), counter, into);
}

}  // namespace castgate
