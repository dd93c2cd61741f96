// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "dataplane/base/instant.h"

namespace castgate {

// Hz of the payload types that RFC 3551 6 gives a clock; 90 kHz of all others, as video has.
constexpr std::uint32_t rtp_clock_rate(std::uint8_t payload_type) noexcept {
  switch (payload_type) {
    case 0:   // PCMU
    case 3:   // GSM
    case 4:   // G723
    case 5:   // DVI4
    case 7:   // LPC
    case 8:   // PCMA
    case 9:   // G722: 8000 although it samples at 16 000
    case 12:  // QCELP
    case 13:  // CN
    case 15:  // G728
    case 18:  // G729
      return 8'000;
    case 6:  // DVI4
      return 16'000;
    case 10:  // L16, two channels
    case 11:  // L16
      return 44'100;
    case 16:  // DVI4
      return 11'025;
    case 17:  // DVI4
      return 22'050;
    default:
      return 90'000;
  }
}

// Ticks of a clock in a span of any length.
constexpr std::int64_t media_ticks(Nanoseconds span, std::uint32_t rate) noexcept {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t seconds = span.count() / kSecond;
  return seconds * rate + span.count() % kSecond * rate / kSecond;
}

}  // namespace castgate
