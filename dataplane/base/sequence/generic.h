// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "dataplane/base/sequence/located.h"

namespace castgate {

// A number in the UDP payload.
struct SequenceField {
  unsigned at = 0;     // bytes from the payload's start
  unsigned width = 0;  // bytes, 1 to 8; 0: there is none
  bool little = false;

  bool operator==(const SequenceField&) const = default;
};

// A protocol of the operator's own: where its numbers stand.
struct GenericSequence {
  SequenceField position;  // 2 bytes or more
  SequenceField count;     // of positions; where absent, each packet is one
  SequenceField epoch;     // folded to 32 bits; where absent there is one epoch

  bool operator==(const GenericSequence&) const = default;
};

// Bits of a position on the wire.
constexpr unsigned width_of(const GenericSequence& sequence) noexcept {
  return 8 * sequence.position.width;
}

// False when a field is not whole, or the count is more than 16 bits hold.
bool locate_generic(const GenericSequence& sequence, const std::byte* payload, std::size_t length,
                    Located& where) noexcept;

}  // namespace castgate
