// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/offset/payload_trail.h"

#include <algorithm>
#include <bit>
#include <span>

#include "dataplane/base/check.h"

namespace castgate {

PayloadTrail::PayloadTrail(std::size_t capacity, Nanoseconds lasts)
    : mask_(capacity - 1),
      lasts_(lasts),
      notes_(std::make_unique<PayloadNote[]>(capacity)),
      buckets_(std::make_unique<Bucket[]>(capacity)) {
  CG_CHECK(std::has_single_bit(capacity) && capacity < kNone);
  for (Bucket& bucket : std::span(buckets_.get(), capacity)) bucket.fill(kNone);
}

PayloadNote& PayloadTrail::note(const PayloadNote& seen) noexcept {
  PayloadNote& place = notes_[seen.raw & mask_];
  const bool same =
      place.raw == seen.raw && place.epoch == seen.epoch && place.fingerprint == seen.fingerprint;
  if (same && seen.at - place.at <= lasts_) return place;
  PayloadNote* other = find(seen.fingerprint);
  const bool repeats = other != nullptr && seen.at - other->at <= lasts_;
  if (repeats) other->repeated = true;
  Bucket& bucket = bucket_of(seen.fingerprint);
  // What had this payload before, or else the oldest, leaves the bucket.
  auto gone = bucket.end() - 1;
  if (other != nullptr) {
    const auto index = static_cast<std::uint32_t>(other - notes_.get());
    gone = std::find(bucket.begin(), gone, index);
  }
  std::move_backward(bucket.begin(), gone, gone + 1);
  bucket[0] = static_cast<std::uint32_t>(seen.raw & mask_);
  place = seen;
  place.repeated = repeats;
  return place;
}

PayloadNote* PayloadTrail::at(std::uint64_t raw) noexcept {
  PayloadNote& place = notes_[raw & mask_];
  return place.raw == raw ? &place : nullptr;
}

PayloadNote* PayloadTrail::find(std::uint64_t fingerprint) noexcept {
  for (const std::uint32_t index : bucket_of(fingerprint)) {
    if (index == kNone) return nullptr;
    PayloadNote& note = notes_[index];
    if (note.fingerprint == fingerprint) return &note;
  }
  return nullptr;
}

}  // namespace castgate
