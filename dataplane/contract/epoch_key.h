// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/protect/key_bytes.h"
#include "dataplane/base/protect/number_lease.h"

namespace castgate {

// A line of a key file: what seals until the next one's turn comes.
struct EpochKey {
  std::uint32_t epoch = 1;  // an MKI says it, and an SPI counts with it
  SharedKey key;
  std::shared_ptr<NumberLease> numbers;  // ESP; null: from 1 on, as many as there are

  bool operator==(const EpochKey& other) const noexcept {
    return epoch == other.epoch && (key == other.key || (key && other.key && *key == *other.key));
  }
};

// Is it among them for who opens with it? Of ESP under the same SPI, which is authenticated; of
// SRTP an epoch is a name alone.
inline bool has_key(std::span<const EpochKey> keys, const EpochKey& key, bool is_esp) noexcept {
  return std::ranges::any_of(keys, [&](const EpochKey& other) {
    return *other.key == *key.key && (!is_esp || other.epoch == key.epoch);
  });
}

}  // namespace castgate
