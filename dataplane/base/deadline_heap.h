// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "dataplane/base/instant.h"

namespace castgate {

// The next deadline of each of `members` numbered things; the earliest is in front. A binary heap
// that knows where everyone stands, so a deadline may be moved up. Allocates at construction only.
class DeadlineHeap {
 public:
  explicit DeadlineHeap(std::size_t members) : place_(members, kAbsent) { heap_.reserve(members); }

  Instant next() const noexcept { return heap_.empty() ? kNever : heap_[0].at; }

  // Sets the member's deadline, or moves it to an earlier one; a later one is left alone.
  void set(std::uint32_t member, Instant at) noexcept {
    std::uint32_t place = place_[member];
    if (place == kAbsent) {
      place = static_cast<std::uint32_t>(heap_.size());
      heap_.push_back({at, member});
    } else if (at >= heap_[place].at) {
      return;
    }
    heap_[place] = {at, member};
    rise(place);
  }

  // Takes the front; expects next() != kNever.
  std::uint32_t pop() noexcept {
    const std::uint32_t member = heap_[0].member;
    place_[member] = kAbsent;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) {
      heap_[0] = last;
      sink(0);
    }
    return member;
  }

 private:
  static constexpr std::uint32_t kAbsent = UINT32_MAX;
  struct Entry {
    Instant at;
    std::uint32_t member;
  };

  void rise(std::uint32_t place) noexcept {
    while (place != 0 && heap_[place].at < heap_[(place - 1) / 2].at) {
      std::swap(heap_[place], heap_[(place - 1) / 2]);
      place_[heap_[place].member] = place;
      place = (place - 1) / 2;
    }
    place_[heap_[place].member] = place;
  }

  void sink(std::uint32_t place) noexcept {
    const auto count = static_cast<std::uint32_t>(heap_.size());
    for (;;) {
      std::uint32_t child = 2 * place + 1;
      if (child >= count) break;
      if (child + 1 < count && heap_[child + 1].at < heap_[child].at) ++child;
      if (heap_[place].at <= heap_[child].at) break;
      std::swap(heap_[place], heap_[child]);
      place_[heap_[place].member] = place;
      place = child;
    }
    place_[heap_[place].member] = place;
  }

  std::vector<Entry> heap_;
  std::vector<std::uint32_t> place_;
};

}  // namespace castgate
