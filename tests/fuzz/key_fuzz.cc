// SPDX-License-Identifier: Apache-2.0
// Texts of key files.
#include <cstdint>
#include <cstdlib>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/keys/key_file.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

// Where nothing is wrong, packets of each key are known.
void check_tellers(const std::vector<castgate::EpochKey>& keys) {
  for (const std::uint32_t spi : {0x100u, 0xffffffffu}) {
    const auto fault = castgate::fault_of_keys(keys, {.is_esp = true, .spi = spi});
    const std::uint64_t last = std::uint64_t{spi} + keys.back().epoch - 1;
    must(fault ? !fault->empty() : last <= 0xffffffff);
  }
  for (const unsigned bytes : {0u, 1u, 4u}) {
    const auto fault = castgate::fault_of_keys(keys, {.mki_bytes = bytes});
    const bool is_told =
        bytes == 0 ? keys.size() == 1 : std::uint64_t{keys.back().epoch} >> 8 * bytes == 0;
    must(fault ? !fault->empty() : is_told);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using castgate::parse_keys;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::size_t length : {20u, 28u, 30u, 44u, 46u}) {
    const auto keys = parse_keys(text, length);
    if (!keys) {
      must(!keys.error().text.empty());
      continue;
    }
    must(!keys->empty());
    check_tellers(*keys);
    // The same keys in hexadecimal are the same keys.
    std::string again;
    std::uint32_t before = 0;
    for (const auto& key : *keys) {
      must(key.epoch > before);
      before = key.epoch;
      must(key.key->bytes().size() == length);
      again += fmt::format("{}:", key.epoch);
      for (const std::byte byte : key.key->bytes())
        again += fmt::format("{:02X} ", std::to_integer<unsigned>(byte));
      again += '\n';
    }
    const auto same = parse_keys(again, length);
    must(same && *same == *keys);
  }
  return 0;
}
