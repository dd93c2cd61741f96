// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/check.h"

namespace castgate {

// Which of the newest numbers were seen, for numbers that never wrap: a ring of words a bit each
// (RFC 6479), one word more than the window so that it moves by whole words. Zeroed words are an
// empty window; they are the caller's, a power of two of them.
class ReplayWindow {
 public:
  static constexpr unsigned kSmallest = 64;
  static constexpr unsigned kLargest = 32'768;

  // Words for a window of `size` numbers, kSmallest to kLargest.
  static constexpr std::size_t words_for(unsigned size) noexcept {
    return std::bit_ceil((std::size_t{size} + 63) / 64 + 1);
  }

  ReplayWindow(std::span<std::uint64_t> words, unsigned size) noexcept
      : words_(words), size_(size) {
    CG_CHECK(std::has_single_bit(words.size()) && words.size() >= words_for(size));
  }

  // Neither seen nor too old to be known. Changes nothing.
  bool is_new(std::uint64_t number) const noexcept {
    if (number >= next_) return true;
    if (next_ - number > size_) return false;
    return (word_of(number) >> number % 64 & 1) == 0;
  }

  // Remembers a number that is_new(), once it is known to be genuine.
  void commit(std::uint64_t number) noexcept {
    if (number >= next_) {
      const std::uint64_t newest = next_ == 0 ? 0 : (next_ - 1) / 64;
      const std::uint64_t word = number / 64;
      const std::uint64_t steps = word - newest < words_.size() ? word - newest : words_.size();
      for (std::uint64_t i = 0; i < steps; ++i) words_[(word - i) % words_.size()] = 0;
      next_ = number + 1;
    }
    words_[number / 64 % words_.size()] |= std::uint64_t{1} << number % 64;
  }

  // Goes on where `old` is, whatever the size of either: what `old` did not know counts as seen.
  void go_on_from(const ReplayWindow& old) noexcept {
    const std::uint64_t known = old.next_ < size_ ? old.next_ : size_;
    for (std::uint64_t n = old.next_ - known; n < old.next_; ++n) {
      if (!old.is_new(n)) commit(n);
    }
  }

  // The same over a copy of its words.
  ReplayWindow over(std::span<std::uint64_t> words) const noexcept {
    ReplayWindow same(words, size_);
    same.next_ = next_;
    return same;
  }

  // One more than the highest that was committed; 0: none was.
  std::uint64_t next() const noexcept { return next_; }

 private:
  std::uint64_t word_of(std::uint64_t number) const noexcept {
    return words_[number / 64 % words_.size()];
  }

  std::span<std::uint64_t> words_;
  std::uint64_t next_ = 0;
  unsigned size_;
};

}  // namespace castgate
