// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace castgate {

// Numbers of one key, of which none is given out twice: not by a later start either, because the
// control plane has remembered durably that those before end() are gone before a worker may have
// them. One NumberTaker at a time takes them; one control thread looks and moves the end.
class alignas(64) NumberLease {
 public:
  static constexpr std::uint64_t kAny = ~std::uint64_t{0};
  static constexpr std::uint64_t kStray = std::uint64_t{1} << 63;

  // From `first` on, below `end`.
  NumberLease(std::uint64_t first, std::uint64_t end) noexcept : next_(first), end_(end) {}

  std::uint64_t next() const noexcept { return next_.load(std::memory_order_relaxed); }
  std::uint64_t end() const noexcept { return end_.load(std::memory_order_acquire); }
  // What IVs are counted from, or 0. Read after end().
  std::uint64_t chance() const noexcept { return chance_.load(std::memory_order_relaxed); }

  void used_to(std::uint64_t next) noexcept { next_.store(next, std::memory_order_relaxed); }

  // Those below `end` are remembered.
  void extend(std::uint64_t end) noexcept { end_.store(end, std::memory_order_release); }
  // They are not, and a later start may give them out again: IVs from here on are counted from
  // `chance`, and none of a lease that is remembered is among them.
  void stray(std::uint64_t chance, std::uint64_t end) noexcept {
    chance_.store(chance | kStray, std::memory_order_relaxed);
    extend(end);
  }
  bool has_strayed() const noexcept { return chance() != 0; }

 private:
  std::atomic<std::uint64_t> next_;
  std::atomic<std::uint64_t> end_;
  std::atomic<std::uint64_t> chance_{0};
};

// A worker's hold on a lease, which it looks into only where what it knew of it is used up.
class NumberTaker {
 public:
  // Below `most`.
  NumberTaker(std::shared_ptr<NumberLease> lease, std::uint64_t most) noexcept
      : lease_(std::move(lease)), most_(most) {}

  struct Taken {
    std::uint64_t number;
    std::uint64_t iv;  // that nothing else was or will be sealed with
  };
  // False where none is left, or no more are remembered yet.
  bool take(Taken& taken) noexcept {
    if (next_ >= limit_) [[unlikely]] {
      if (!look()) return false;
    }
    taken = {next_, (next_ + chance_) | (chance_ & NumberLease::kStray)};
    lease_->used_to(++next_);
    return true;
  }
  // Is there one to take?
  bool has_more() const noexcept { return lease_->next() < std::min(lease_->end(), most_); }
  // None will be had any more.
  bool is_spent() const noexcept { return lease_->next() >= most_; }

  // Changes places with what takes from the other's lease.
  void swap_lease(NumberTaker& other) noexcept {
    std::swap(lease_, other.lease_);
    limit_ = other.limit_ = 0;
  }

 private:
  bool look() noexcept {
    next_ = lease_->next();
    limit_ = std::min(lease_->end(), most_);
    chance_ = lease_->chance();
    return next_ < limit_;
  }

  std::shared_ptr<NumberLease> lease_;
  std::uint64_t most_;
  std::uint64_t next_ = 0;
  std::uint64_t limit_ = 0;
  std::uint64_t chance_ = 0;
};

}  // namespace castgate
