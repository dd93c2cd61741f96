// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "dataplane/base/instant.h"

namespace castgate {

// When to look at which slot. A lease that was renewed stays where it is: whoever takes it finds
// that it ends later, and puts it again. A slot is in it once.
class LeaseQueue {
 public:
  void put(std::uint32_t slot, Instant at) {
    if (slot >= waits_.size()) waits_.resize(slot + 1, kNever);
    if (waits_[slot] <= at) return;  // is looked at before
    waits_[slot] = at;
    heap_.push_back({at, slot});
    std::ranges::push_heap(heap_, std::greater());
  }
  // The next slot whose moment has come.
  std::optional<std::uint32_t> take(Instant now) {
    while (!heap_.empty() && heap_.front().at <= now) {
      const Look look = heap_.front();
      std::ranges::pop_heap(heap_, std::greater());
      heap_.pop_back();
      if (waits_[look.slot] != look.at) continue;  // one that came before it was taken
      waits_[look.slot] = kNever;
      return look.slot;
    }
    return {};
  }

 private:
  struct Look {
    Instant at;
    std::uint32_t slot;
    auto operator<=>(const Look&) const = default;
  };
  std::vector<Look> heap_;
  std::vector<Instant> waits_;  // by slot
};

}  // namespace castgate
