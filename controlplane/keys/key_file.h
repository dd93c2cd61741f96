// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/error.h"
#include "dataplane/contract/open_spec.h"
#include "dataplane/contract/protect_spec.h"

namespace castgate {

// Keys of `length` bytes out of a file that only its owner may read: a line each, hexadecimal or
// base64, blanks and what follows a # apart. Before it may stand its epoch and a colon; else it is
// the one after the line before, and of the first 1. At least one key, by ascending epochs. Errors
// name the file, the line, and never what is in it.
Result<std::vector<EpochKey>> read_key_file(const std::string& path, std::size_t length);

// The same of a file's text.
Result<std::vector<EpochKey>> parse_keys(std::string_view text, std::size_t length);

// How packets tell which of several keys sealed them.
struct KeyTeller {
  bool is_esp = false;
  std::uint32_t spi = 0;   // ESP: of epoch 1
  unsigned mki_bytes = 0;  // SRTP
};
inline KeyTeller teller_of(const ProtectSpec& spec) noexcept {
  return {.is_esp = spec.is_esp(), .spi = spec.spi, .mki_bytes = spec.mki_bytes};
}
inline KeyTeller teller_of(const OpenSpec& spec) noexcept {
  return {.is_esp = spec.is_esp(), .spi = spec.spi, .mki_bytes = spec.mki_bytes};
}

// Why packets cannot tell which of these keys, at least one, sealed them; none: they can.
std::optional<std::string> fault_of_keys(const std::vector<EpochKey>& keys,
                                         const KeyTeller& teller);

}  // namespace castgate
