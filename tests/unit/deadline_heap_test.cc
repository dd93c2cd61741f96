// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/deadline_heap.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace castgate {
namespace {

TEST(DeadlineHeapTest, empty_heap_never_comes_due) {
  const DeadlineHeap heap(4);
  EXPECT_EQ(heap.next(), kNever);
}

TEST(DeadlineHeapTest, deadline_moves_up_but_not_down) {
  DeadlineHeap heap(2);
  heap.set(0, Instant{50});
  heap.set(0, Instant{70});
  EXPECT_EQ(heap.next(), Instant{50});
  heap.set(0, Instant{20});
  EXPECT_EQ(heap.next(), Instant{20});
  EXPECT_EQ(heap.pop(), 0u);
  EXPECT_EQ(heap.next(), kNever);
}

// Against a sorted set, which no heap can disagree with.
TEST(DeadlineHeapTest, members_come_out_by_their_deadlines) {
  constexpr std::uint32_t kMembers = 200;
  DeadlineHeap heap(kMembers);
  std::set<std::pair<std::int64_t, std::uint32_t>> model;
  std::vector<std::int64_t> at(kMembers, INT64_MAX);
  std::mt19937_64 random(5);
  for (unsigned turn = 0; turn < 200'000; ++turn) {
    const auto member = static_cast<std::uint32_t>(random() % kMembers);
    if (random() % 3 != 0) {
      const auto when = static_cast<std::int64_t>(random() % 1000);
      heap.set(member, Instant{when});
      if (when < at[member]) {
        model.erase({at[member], member});
        at[member] = when;
        model.insert({when, member});
      }
    } else if (!model.empty()) {
      const std::int64_t due = model.begin()->first;
      ASSERT_EQ(heap.next(), Instant{due});
      const std::uint32_t out = heap.pop();
      ASSERT_EQ(at[out], due) << "turn " << turn;
      model.erase({due, out});
      at[out] = INT64_MAX;
    }
    ASSERT_EQ(heap.next(), model.empty() ? kNever : Instant{model.begin()->first});
  }
}

}  // namespace
}  // namespace castgate
