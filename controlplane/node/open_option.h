// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/error.h"
#include "dataplane/contract/protect_spec.h"

namespace castgate {

// How a relay's packets are sealed, as --open says it.
struct OpenOption {
  ProtectSpec sealed;                // of ESP: profile, keys, spi and esn alone
  std::optional<Endpoint> inner_to;  // ESP: what is inside goes there; none: anywhere
  std::uint32_t roll_over = 0;       // of the first SSRC that comes
  unsigned replay_window = 1'024;    // packets
};

// "profile=srtp_gcm,key_file=PATH" and the like, without the keys themselves. Errors name what is
// wrong in it.
Result<OpenOption> parse_open(std::string_view text);

// The same with its keys, from a file that only its owner may read. Errors name the file and never
// what is in it.
Result<OpenOption> read_open(std::string_view text);

}  // namespace castgate
