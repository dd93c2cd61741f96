// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

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

}  // namespace castgate
