// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

#include "dataplane/base/counter.h"
#include "dataplane/event_sink.h"

namespace castgate {

// Events of one worker for the control thread. A full ring keeps the old and counts the new.
class EventRing final : public EventSink {
 public:
  void report(const Event& event) noexcept override {
    const std::size_t end = end_.load(std::memory_order_relaxed);
    if (end - begin_.load(std::memory_order_acquire) == kSlots) return missed_.add();
    events_[end % kSlots] = event;
    end_.store(end + 1, std::memory_order_release);
  }

  bool take(Event& event) noexcept {
    const std::size_t begin = begin_.load(std::memory_order_relaxed);
    if (begin == end_.load(std::memory_order_acquire)) return false;
    event = events_[begin % kSlots];
    begin_.store(begin + 1, std::memory_order_release);
    return true;
  }

  std::uint64_t missed() const noexcept { return missed_.get(); }

 private:
  static constexpr std::size_t kSlots = 4096;

  alignas(64) std::atomic<std::size_t> end_{0};
  alignas(64) std::atomic<std::size_t> begin_{0};
  Counter missed_;
  std::array<Event, kSlots> events_{};
};

}  // namespace castgate
