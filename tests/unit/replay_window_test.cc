// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/protect/replay_window.h"

#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace castgate {
namespace {

// What RFC 4303 3.4.3 asks for, with all numbers remembered.
class EveryNumber {
 public:
  explicit EveryNumber(unsigned size) : size_(size) {}
  bool is_new(std::uint64_t number) const {
    if (!seen_.empty() && number + size_ <= *seen_.rbegin()) return false;
    return !seen_.contains(number);
  }
  void commit(std::uint64_t number) { seen_.insert(number); }

 private:
  std::set<std::uint64_t> seen_;
  std::uint64_t size_;
};

TEST(ReplayWindowTest, says_the_same_as_a_memory_of_every_number) {
  std::mt19937_64 random(7);
  for (const unsigned size : {64u, 100u, 128u, 1024u, 32'768u}) {
    std::vector<std::uint64_t> words(ReplayWindow::words_for(size));
    ReplayWindow window(words, size);
    EveryNumber model(size);
    std::uint64_t around = 0;
    unsigned fresh = 0;
    for (unsigned i = 0; i < 20'000; ++i) {
      // Mostly near the newest, a jump over several windows now and then.
      around += random() % 200 == 0 ? random() % (4ull * size) : random() % 3;
      const std::uint64_t back = random() % (2ull * size);
      const std::uint64_t number = around > back && random() % 2 == 0 ? around - back : around;
      ASSERT_EQ(window.is_new(number), model.is_new(number)) << size << " at " << number;
      if (!window.is_new(number)) continue;
      ++fresh;
      if (random() % 10 == 0) continue;  // forged: never committed
      window.commit(number);
      model.commit(number);
    }
    EXPECT_GT(fresh, 5'000u);
    EXPECT_LT(fresh, 20'000u);
  }
}

TEST(ReplayWindowTest, takes_what_is_a_window_old_less_one_and_nothing_older) {
  std::vector<std::uint64_t> words(ReplayWindow::words_for(64));
  ReplayWindow window(words, 64);
  window.commit(1'000);
  EXPECT_TRUE(window.is_new(1'000 - 63));
  EXPECT_FALSE(window.is_new(1'000 - 64));
  EXPECT_FALSE(window.is_new(1'000));
}

TEST(ReplayWindowTest, a_number_that_was_not_committed_moves_nothing) {
  std::vector<std::uint64_t> words(ReplayWindow::words_for(1024));
  ReplayWindow window(words, 1024);
  window.commit(5);
  EXPECT_TRUE(window.is_new(std::uint64_t{1} << 47));  // its tag is wrong
  EXPECT_TRUE(window.is_new(6));
  EXPECT_FALSE(window.is_new(5));
  EXPECT_EQ(window.next(), 6u);
}

TEST(ReplayWindowTest, a_jump_over_the_whole_ring_forgets_all) {
  std::vector<std::uint64_t> words(ReplayWindow::words_for(64));
  ReplayWindow window(words, 64);
  for (std::uint64_t n = 0; n < 200; ++n) window.commit(n);
  window.commit(1'000'000);
  for (std::uint64_t n = 1'000'000 - 63; n < 1'000'000; ++n) EXPECT_TRUE(window.is_new(n)) << n;
}

}  // namespace
}  // namespace castgate
