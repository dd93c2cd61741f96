// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace castgate {

// Plain values from one thread to another, in order. Neither side ever waits.
template <class Value, std::size_t kSlots>
class ValueRing {
 public:
  // False, and nothing changed, where the ring is full.
  bool put(const Value& value) noexcept {
    if (full()) return false;
    const std::size_t end = end_.load(std::memory_order_relaxed);
    values_[end % kSlots] = value;
    end_.store(end + 1, std::memory_order_release);
    return true;
  }
  // For the thread that puts: what is not full stays so until it puts.
  bool full() const noexcept {
    return end_.load(std::memory_order_relaxed) - begin_.load(std::memory_order_acquire) == kSlots;
  }

  // For the thread that puts: values since start.
  std::uint64_t put_so_far() const noexcept { return end_.load(std::memory_order_relaxed); }

  // For the thread that takes.
  bool empty() const noexcept {
    return begin_.load(std::memory_order_relaxed) == end_.load(std::memory_order_acquire);
  }

  bool take(Value& value) noexcept {
    const std::size_t begin = begin_.load(std::memory_order_relaxed);
    if (begin == end_.load(std::memory_order_acquire)) return false;
    value = values_[begin % kSlots];
    begin_.store(begin + 1, std::memory_order_release);
    return true;
  }

 private:
  static_assert((kSlots & (kSlots - 1)) == 0, "indices wrap around");

  alignas(64) std::atomic<std::size_t> end_{0};
  alignas(64) std::atomic<std::size_t> begin_{0};
  std::array<Value, kSlots> values_{};
};

}  // namespace castgate
