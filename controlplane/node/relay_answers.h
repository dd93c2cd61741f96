// SPDX-License-Identifier: Apache-2.0
// What a relay says to a client: the JSON of its REST door and the datagram that proves an address.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "controlplane/node/open_option.h"
#include "dataplane/base/address.h"
#include "dataplane/base/error.h"
#include "dataplane/contract/spec.h"

namespace castgate {

inline constexpr std::size_t kLongestAnswer = 65536;  // bytes of a body

// A client as the relay knows it.
struct RelayClient {
  std::string id;   // 32 hexadecimal digits
  Endpoint source;  // what the packets come from
  SequenceFormat sequence = SequenceFormat::Fingerprint;
  bool active = false;
  std::chrono::seconds lease{60};
  bool isolated = false;             // packets are sealed with a key of its own
  std::optional<OpenOption> sealed;  // with that key

  // Its packets would pass as if they were in the clear.
  bool lacks_key() const noexcept { return isolated && !sealed; }
  // Does `later` tell no key but the one that is here?
  bool has_key_of(const RelayClient& later) const noexcept {
    return !later.sealed || (sealed && sealed->sealed == later.sealed->sealed);
  }
};

Result<RelayClient> parse_relay_client(std::string_view body);

// What application/problem+json or any other body says, as one line for a person.
std::string parse_problem(unsigned status, std::string_view body);

// The nonce of "castgate-proof/1 <32 hexadecimal digits>\n"; nothing where it is anything else.
std::optional<std::string> parse_proof(std::span<const std::byte> datagram);

std::string_view sequence_name(SequenceFormat format);

}  // namespace castgate
