// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "dataplane/contract/protect_spec.h"

namespace castgate::test {

// What a key file with one line says.
inline std::vector<EpochKey> one_key(SharedKey key) {
  return {{.epoch = 1, .key = std::move(key), .numbers = nullptr}};
}

}  // namespace castgate::test
