// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <memory>

#include "dataplane/base/instant.h"

namespace castgate {

// Remembers when the head of a stream jumped over positions: every hole below `to` opened at `at`,
// unless an earlier jump lies above it. Both grow, so the oldest gap is always in front.
class JumpRing {
 public:
  struct Jump {
    std::uint64_t from;  // first hole
    std::uint64_t to;    // the position that was there
    Instant at;
  };

  // `capacity`: a power of two. When full, the newest two become one with the newer's time.
  explicit JumpRing(std::uint64_t capacity)
      : mask_(capacity - 1), jumps_(std::make_unique_for_overwrite<Jump[]>(capacity)) {}

  void push(std::uint64_t from, std::uint64_t to, Instant at) noexcept {
    if (end_ - begin_ > mask_) from = jumps_[--end_ & mask_].from;
    jumps_[end_++ & mask_] = {from, to, at};
  }
  // What the other one remembers, in this one's room.
  void take_over(JumpRing& old) noexcept {
    for (; !old.empty(); old.pop()) push(old.front().from, old.front().to, old.front().at);
  }
  void forget_through(std::uint64_t position) noexcept {
    while (begin_ != end_ && jumps_[begin_ & mask_].to <= position) ++begin_;
  }
  void pop() noexcept { ++begin_; }
  // The oldest gap begins at `from` now.
  void shorten(std::uint64_t from) noexcept { jumps_[begin_ & mask_].from = from; }
  void clear() noexcept { begin_ = end_; }
  bool empty() const noexcept { return begin_ == end_; }
  const Jump& front() const noexcept { return jumps_[begin_ & mask_]; }
  std::uint64_t bytes() const noexcept { return (mask_ + 1) * sizeof(Jump); }

 private:
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t mask_;
  std::unique_ptr<Jump[]> jumps_;
};

}  // namespace castgate
