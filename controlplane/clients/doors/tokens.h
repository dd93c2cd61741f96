// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/error.h"

namespace castgate {

// Bearer tokens of one file, a line each: NAME TOKEN, or NAME TOKEN admin. Lines that are empty or
// begin with # are passed over. Kept as SHA-256, and compared in constant time.
class Tokens {
 public:
  struct Holder {
    std::string name;
    bool is_admin = false;
  };

  // At most 64 KiB, and nobody but its owner may read it. An error names file and line, never a
  // token.
  static Result<Tokens> read(const std::string& path);
  static Result<Tokens> parse(std::string_view text, const std::string& name);

  // Null: nobody's. Every token is looked at, whichever is the one.
  const Holder* find(std::string_view token) const;

 private:
  using Digest = std::array<std::uint8_t, 32>;
  struct Row {
    Digest digest;
    Holder holder;
  };
  static Digest digest_of(std::string_view token);

  std::vector<Row> rows_;
};

}  // namespace castgate
