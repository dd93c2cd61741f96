// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

#include "dataplane/base/check.h"

namespace castgate {

// Bytes from one thread to another, in order. What is written is seen by the reader as a whole, at
// publish(). Neither side waits or allocates.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): writer and reader have lines apart.
class ByteRing {
 public:
  // `size`: a power of two. Its pages are touched here.
  explicit ByteRing(std::size_t size) : bytes_(std::make_unique<std::byte[]>(size)), size_(size) {
    CG_CHECK(std::has_single_bit(size));
  }

  // The writer's side.
  std::size_t room() const noexcept {
    return size_ - (written_ - begin_.load(std::memory_order_acquire));
  }
  // At most room() bytes.
  void write(std::span<const std::byte> bytes) noexcept {
    if (bytes.empty()) return;
    const std::size_t at = written_ & (size_ - 1);
    const std::size_t first = std::min(bytes.size(), size_ - at);
    std::memcpy(&bytes_[at], bytes.data(), first);
    std::memcpy(&bytes_[0], bytes.data() + first, bytes.size() - first);
    written_ += bytes.size();
  }
  void publish() noexcept { end_.store(written_, std::memory_order_release); }

  // The reader's side.
  std::size_t waiting() const noexcept { return end_.load(std::memory_order_acquire) - read_; }
  // At most waiting() bytes.
  void read(std::span<std::byte> into) noexcept {
    if (into.empty()) return;
    const std::size_t at = read_ & (size_ - 1);
    const std::size_t first = std::min(into.size(), size_ - at);
    std::memcpy(into.data(), &bytes_[at], first);
    std::memcpy(into.data() + first, &bytes_[0], into.size() - first);
    read_ += into.size();
    begin_.store(read_, std::memory_order_release);
  }

 private:
  // The writer's line; what does not change may stand there.
  alignas(64) std::atomic<std::size_t> end_{0};
  std::size_t written_ = 0;
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_;
  // The reader's line.
  alignas(64) std::atomic<std::size_t> begin_{0};
  std::size_t read_ = 0;
};

}  // namespace castgate
