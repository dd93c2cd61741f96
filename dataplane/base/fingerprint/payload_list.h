// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/base/instant.h"

namespace castgate {

// One payload of the merged sequence.
struct alignas(64) Payload {
  std::uint64_t fingerprint;
  std::uint64_t rank;  // tells which of two comes first; has no other meaning
  void* packet;        // kept until it may leave
  Instant at;          // its first copy came
  std::int64_t due;    // the same, less what its leg is behind
  std::uint32_t before;
  std::uint32_t after;
  std::uint32_t older;  // of the same bucket
  std::uint8_t legs;    // that brought it
  std::uint8_t first;   // of them
  bool repeated;        // others with these bytes came within the window
  bool dropped;         // never left: late, or another's copy after all
};
static_assert(sizeof(Payload) == 64);

// The newest payloads of a stream, in order, found by their fingerprints. A ring: each has its slot
// from when it is made until it is the oldest; the order is a list through the ring, because a leg
// may bring what belongs before another leg's. Buckets are never cleaned: what a chain leads to is
// either in the ring or older than all of it. Allocates at construction only.
class PayloadList {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  explicit PayloadList(std::uint32_t capacity);  // a power of two

  Payload& operator[](std::uint32_t slot) noexcept { return ring_[slot]; }
  const Payload& operator[](std::uint32_t slot) const noexcept { return ring_[slot]; }

  bool empty() const noexcept { return made_ == gone_; }
  bool full() const noexcept { return made_ - gone_ > mask_; }
  std::uint64_t made() const noexcept { return made_; }  // since construction
  std::uint32_t first() const noexcept { return first_; }
  std::uint32_t last() const noexcept { return last_; }
  // The one after, the first of all after none.
  std::uint32_t after(std::uint32_t slot) const noexcept {
    return slot == kNone ? first_ : ring_[slot].after;
  }
  std::uint32_t oldest() const noexcept { return static_cast<std::uint32_t>(gone_) & mask_; }
  std::uint32_t slot_of(std::uint64_t number) const noexcept {  // the number-th made
    return static_cast<std::uint32_t>(number) & mask_;
  }
  std::uint64_t gone() const noexcept { return gone_; }

  // The newest with this fingerprint, and the next older than a slot.
  std::uint32_t newest(std::uint64_t fingerprint) const noexcept;
  std::uint32_t next_older(std::uint32_t slot) const noexcept;

  // Takes a slot; the caller has made sure that one is free, and places it.
  std::uint32_t make(std::uint64_t fingerprint) noexcept;
  void place_after(std::uint32_t slot, std::uint32_t before) noexcept;  // kNone: as the first
  void move_before(std::uint32_t slot, std::uint32_t after) noexcept;   // two of the list
  void drop_oldest() noexcept;

  // Becomes a copy of the other, which holds no more than our capacity; this one is as constructed.
  // slot_in() tells where what had a slot there has one here.
  void take_over(const PayloadList& old) noexcept;
  std::uint32_t slot_in(const PayloadList& old, std::uint32_t slot) const noexcept {
    if (slot == kNone) return kNone;
    return slot_of(gone_ + ((slot - old.oldest()) & old.mask_));
  }
  std::uint64_t size() const noexcept { return made_ - gone_; }

  std::uint32_t capacity() const noexcept { return mask_ + 1; }
  static constexpr std::uint64_t bytes_for(std::uint64_t payloads) noexcept {
    return (sizeof(Payload) + sizeof(std::uint32_t)) * payloads;
  }
  std::uint64_t memory_bytes() const noexcept { return bytes_for(capacity()); }

 private:
  std::uint32_t find(std::uint32_t number, std::uint64_t fingerprint,
                     std::uint32_t age) const noexcept;
  void unlink(std::uint32_t slot) noexcept;

  std::uint32_t mask_;
  std::uint32_t first_ = kNone;
  std::uint32_t last_ = kNone;
  std::uint64_t last_rank_ = 0;
  std::uint64_t made_ = 1;  // numbers begin at 1: 0 in a bucket is none's
  std::uint64_t gone_ = 1;
  std::unique_ptr<Payload[]> ring_;
  std::unique_ptr<std::uint32_t[]> buckets_;  // low bits of the number of the newest
};

}  // namespace castgate
