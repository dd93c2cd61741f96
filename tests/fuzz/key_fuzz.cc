// SPDX-License-Identifier: Apache-2.0
// Texts of key files.
#include <cstdint>
#include <cstdlib>
#include <fmt/format.h>
#include <string>
#include <string_view>

#include "controlplane/keys/key_file.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using castgate::parse_key;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::size_t length : {28u, 30u, 44u, 46u}) {
    const auto key = parse_key(text, length);
    if (!key) {
      must(!key.error().text.empty());
      continue;
    }
    // The same key in hexadecimal is the same key.
    const auto bytes = (*key)->bytes();
    must(bytes.size() == length);
    std::string again;
    for (const std::byte byte : bytes)
      again += fmt::format("{:02X} ", std::to_integer<unsigned>(byte));
    const auto same = parse_key(again, length);
    must(same && **same == **key);
  }
  return 0;
}
