// SPDX-License-Identifier: Apache-2.0
// Numbers with their unit: 10ms, 512MiB, 100kpps. Exact: no floating point.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "dataplane/base/error.h"
#include "dataplane/base/instant.h"

namespace castgate {

struct UnitOf {
  std::string_view name;
  std::uint64_t scale;  // how many of the base unit
};

// A kind of quantity and its units, smallest (the base) first.
struct Quantity {
  std::span<const UnitOf> units;
  std::string_view examples;

  std::string unit_names() const;  // "ns, us, ms, s"
};

extern const Quantity kDurations;    // base: nanoseconds
extern const Quantity kSizes;        // base: bytes
extern const Quantity kPacketRates;  // base: packets per second
extern const Quantity kBitRates;     // base: bits per second
extern const Quantity kFrequencies;  // base: hertz
extern const Quantity kShares;       // base: parts per million

// `text` in base units. Decimals are taken where they come out whole: 1.5ms, not 1.5ns.
Result<std::uint64_t> parse_quantity(std::string_view text, const Quantity& quantity);
// A whole number without unit, sign or blanks.
Result<std::uint64_t> parse_number(std::string_view text);
// The same, or up to 16 hexadecimal digits behind 0x.
Result<std::uint64_t> parse_identifier(std::string_view text);

// The shortest exact form: 10ms, not 10000us.
std::string quantity_text(std::uint64_t value, const Quantity& quantity);
std::string duration_text(Nanoseconds span);

}  // namespace castgate
