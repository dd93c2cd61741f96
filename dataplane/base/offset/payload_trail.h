// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/base/instant.h"

namespace castgate {

// A payload that came, and what its packet said of itself.
struct PayloadNote {
  std::uint64_t fingerprint = 0;
  std::uint64_t raw = 0;  // the position as it is on the wire
  Instant at{INT64_MIN / 4};
  std::uint32_t epoch = 0;
  std::uint32_t timestamp = 0;  // RTP's
  bool repeated = false;        // other positions had the same payload
  bool met = false;             // was compared with the copy of another leg
};

// The last payloads of a numbering, by number and by what they are. Bounded: the newest of
// `capacity` positions, at most four that share a bucket. Never allocates after construction.
class PayloadTrail {
 public:
  // `capacity`: a power of two. `lasts`: how long a number means the same packet, and how long a
  // payload is remembered for another to be its repetition.
  PayloadTrail(std::size_t capacity, Nanoseconds lasts);

  // A packet that was noted already stays as it is, and is what comes back.
  PayloadNote& note(const PayloadNote& seen) noexcept;

  // Null where there is none; the fields tell whether it is the one that was meant.
  PayloadNote* at(std::uint64_t raw) noexcept;
  PayloadNote* find(std::uint64_t fingerprint) noexcept;  // the newest

  static constexpr std::size_t bytes(std::size_t capacity) noexcept {
    return capacity * (sizeof(PayloadNote) + sizeof(Bucket));
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  using Bucket = std::array<std::uint32_t, 4>;  // places in notes_, the newest first

  Bucket& bucket_of(std::uint64_t fingerprint) noexcept { return buckets_[fingerprint & mask_]; }

  std::size_t mask_;
  Nanoseconds lasts_;
  std::unique_ptr<PayloadNote[]> notes_;
  std::unique_ptr<Bucket[]> buckets_;
};

}  // namespace castgate
