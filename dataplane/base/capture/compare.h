// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/error.h"
#include "dataplane/base/instant.h"

namespace castgate {

enum class DifferenceKind : std::uint8_t { Bytes, Time, Missing, Extra };

// The first place where a capture is not the one that was expected. `expected` is empty for an
// Extra frame, `actual` for a Missing one.
struct CaptureDifference {
  DifferenceKind kind = DifferenceKind::Bytes;
  std::uint64_t frame = 0;  // from 1, in both captures alike
  std::size_t offset = 0;   // Bytes: of the first one that differs; that length where one ends
  std::string field;        // Bytes: the header field there: ip.ttl, rtp.sequence, payload+3
  Instant expected_time;
  Instant actual_time;
  std::vector<std::byte> expected;
  std::vector<std::byte> actual;

  // Several lines, the last without a newline: what differs, both frames decoded, bytes around it.
  std::string to_string() const;
};

// Frame by frame: bytes and, if asked, times. Nothing means that they are equal. Reads no further
// than the first difference; an error where either cannot be read.
Result<std::optional<CaptureDifference>> compare_captures(const std::string& expected_path,
                                                          const std::string& actual_path,
                                                          bool times);

}  // namespace castgate
