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

// Calls `each` with both epochs of every key that is in both: a file that lines are taken from
// counts them otherwise.
void each_same(std::span<const EpochKey> keys, std::span<const EpochKey> others, const auto& each) {
  for (const EpochKey& one : keys) {
    for (const EpochKey& other : others) {
      if (*one.key == *other.key) each(one.epoch, other.epoch);
    }
  }
}

inline bool have_one(std::span<const EpochKey> keys, std::span<const EpochKey> others) {
  bool any = false;
  each_same(keys, others, [&](std::uint32_t, std::uint32_t) { any = true; });
  return any;
}

}  // namespace castgate
