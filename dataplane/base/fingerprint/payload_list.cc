// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/fingerprint/payload_list.h"

#include <algorithm>

namespace castgate {
namespace {

constexpr std::uint64_t kStride = 1ull << 32;  // between the ranks of neighbours that came in order
constexpr std::uint64_t kStep = 1ull << 16;    // after which what is placed between them follows

}  // namespace

PayloadList::PayloadList(std::uint32_t capacity)
    : mask_(capacity - 1),
      ring_(std::make_unique<Payload[]>(capacity)),
      buckets_(std::make_unique<std::uint32_t[]>(capacity)) {}

// Follows a chain from `number` on. Every step must lead to something older than the last, which a
// link to what is gone does not.
std::uint32_t PayloadList::find(std::uint32_t number, std::uint64_t fingerprint,
                                std::uint32_t age) const noexcept {
  const auto made = static_cast<std::uint32_t>(made_);
  const auto live = static_cast<std::uint32_t>(made_ - gone_);
  while (made - number > age && made - number <= live) {
    age = made - number;
    const Payload& payload = ring_[number & mask_];
    if (payload.fingerprint == fingerprint) return number & mask_;
    number = payload.older;
  }
  return kNone;
}

std::uint32_t PayloadList::newest(std::uint64_t fingerprint) const noexcept {
  return find(buckets_[fingerprint & mask_], fingerprint, 0);
}

std::uint32_t PayloadList::next_older(std::uint32_t slot) const noexcept {
  const Payload& payload = ring_[slot];
  const std::uint32_t age = ((static_cast<std::uint32_t>(made_) - 1 - slot) & mask_) + 1;
  return find(payload.older, payload.fingerprint, age);
}

std::uint32_t PayloadList::make(std::uint64_t fingerprint) noexcept {
  const std::uint32_t slot = static_cast<std::uint32_t>(made_) & mask_;
  std::uint32_t& bucket = buckets_[fingerprint & mask_];
  Payload& payload = ring_[slot];
  payload = {};
  payload.fingerprint = fingerprint;
  payload.older = bucket;
  bucket = static_cast<std::uint32_t>(made_);
  ++made_;
  return slot;
}

void PayloadList::place_after(std::uint32_t slot, std::uint32_t before) noexcept {
  const std::uint32_t next = after(before);
  Payload& payload = ring_[slot];
  payload.before = before;
  payload.after = next;
  if (next == kNone) {
    payload.rank = last_rank_ += kStride;
    last_ = slot;
  } else {
    const std::uint64_t least = before == kNone ? ring_[next].rank - kStride : ring_[before].rank;
    payload.rank = least + std::min(kStep, (ring_[next].rank - least) / 2);
    ring_[next].before = slot;
  }
  (before == kNone ? first_ : ring_[before].after) = slot;
}

void PayloadList::unlink(std::uint32_t slot) noexcept {
  const Payload& payload = ring_[slot];
  (payload.before == kNone ? first_ : ring_[payload.before].after) = payload.after;
  (payload.after == kNone ? last_ : ring_[payload.after].before) = payload.before;
}

void PayloadList::move_before(std::uint32_t slot, std::uint32_t after) noexcept {
  unlink(slot);
  place_after(slot, ring_[after].before);
}

void PayloadList::take_over(const PayloadList& old) noexcept {
  made_ = old.made_;
  gone_ = old.gone_;
  last_rank_ = old.last_rank_;
  first_ = slot_in(old, old.first_);
  last_ = slot_in(old, old.last_);
  for (std::uint64_t number = gone_; number != made_; ++number) {
    Payload& payload = ring_[slot_of(number)];
    payload = old.ring_[old.slot_of(number)];
    payload.before = slot_in(old, payload.before);
    payload.after = slot_in(old, payload.after);
    std::uint32_t& bucket = buckets_[payload.fingerprint & mask_];
    payload.older = bucket;
    bucket = static_cast<std::uint32_t>(number);
  }
}

void PayloadList::drop_oldest() noexcept {
  unlink(oldest());
  ++gone_;
}

}  // namespace castgate
