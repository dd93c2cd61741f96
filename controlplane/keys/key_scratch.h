// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <openssl/crypto.h>
#include <vector>

namespace castgate {

// What is read on the way to a key, wiped as it goes.
class KeyScratch {
 public:
  explicit KeyScratch(std::size_t length) : bytes_(length) {}
  ~KeyScratch() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  KeyScratch(const KeyScratch&) = delete;
  KeyScratch& operator=(const KeyScratch&) = delete;

  char* data() noexcept { return bytes_.data(); }
  std::size_t size() const noexcept { return bytes_.size(); }

 private:
  std::vector<char> bytes_;
};

}  // namespace castgate
