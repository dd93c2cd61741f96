// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace castgate {

// Which epochs of one set of keys may seal: the control plane remembers durably that an epoch has
// begun before a worker may begin it, so that a later start does not go back behind it. One worker
// seals; one control thread looks, and allows more.
class EpochLease {
 public:
  // `current` seals; those up to `allowed` may follow.
  EpochLease(std::uint32_t current, std::uint32_t allowed) noexcept
      : current_(current), allowed_(allowed) {}

  std::uint32_t current() const noexcept { return current_.load(std::memory_order_relaxed); }
  std::uint32_t allowed() const noexcept { return allowed_.load(std::memory_order_acquire); }
  // Its successor is due, and there is none.
  bool is_overdue() const noexcept { return overdue_.load(std::memory_order_relaxed); }
  // This one is due.
  std::uint32_t wanted() const noexcept { return wanted_.load(std::memory_order_relaxed); }

  // The worker's.
  void begin(std::uint32_t epoch) noexcept { current_.store(epoch, std::memory_order_relaxed); }
  void want(std::uint32_t epoch) noexcept { wanted_.store(epoch, std::memory_order_relaxed); }
  void set_overdue(bool overdue) noexcept { overdue_.store(overdue, std::memory_order_relaxed); }

  // The control thread's, or one that works for it.
  void allow(std::uint32_t epoch) noexcept { allowed_.store(epoch, std::memory_order_release); }

 private:
  std::atomic<std::uint32_t> current_;
  std::atomic<std::uint32_t> allowed_;
  std::atomic<std::uint32_t> wanted_{0};
  std::atomic<bool> overdue_{false};
};

}  // namespace castgate
