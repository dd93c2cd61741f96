// SPDX-License-Identifier: Apache-2.0
// A merge of payloads without numbers on a bench. The judge knows what the source sent and what
// each leg delivered, and nothing of how the merge finds out.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/base/fingerprint/fingerprint_merge.h"

namespace castgate::test {

// How one leg brings what the source sends.
struct FeedPath {
  Nanoseconds delay{0};
  Nanoseconds longest{0};  // with its jitter
  std::function<bool(std::uint64_t)> loses = [](std::uint64_t) { return false; };
  std::function<Nanoseconds(std::uint64_t)> jitter = [](std::uint64_t) { return Nanoseconds{0}; };
};

struct Feed {
  std::vector<std::uint64_t> payloads;  // what each datagram holds, by its place
  Nanoseconds interval{1'000'000};
};

inline std::function<bool(std::uint64_t)> seeded(double share, std::uint64_t seed) {
  return [share, random = std::mt19937_64(seed)](std::uint64_t) mutable {
    return static_cast<double>(random() >> 11) * 0x1p-53 < share;
  };
}

// `count` datagrams, of which `nulls` hold the same bytes, 0.
inline Feed feed_of(std::uint64_t count, double nulls, std::uint64_t seed) {
  Feed feed;
  auto null = seeded(nulls, seed);
  for (std::uint64_t i = 0; i < count; ++i) feed.payloads.push_back(null(i) ? 0 : i + 1);
  return feed;
}

class FingerprintLab final : public MergeOutlet {
 public:
  explicit FingerprintLab(const MergeConfig& config) : merge(config), config_(config) {}

  // All of the feed over all paths; between two packets the clock stops at every deadline.
  void run(const Feed& feed, const std::vector<FeedPath>& paths) {
    struct Copy {
      Instant at;
      unsigned leg;
      std::uint64_t place;
    };
    std::vector<Copy> copies;
    brought_.assign(feed.payloads.size(), 0);
    for (unsigned leg = 0; leg < paths.size(); ++leg) {
      Instant behind;  // a leg keeps the order
      for (std::uint64_t i = 0; i < feed.payloads.size(); ++i) {
        if (paths[leg].loses(i)) continue;
        const Instant sent{1'000'000'000 + feed.interval.count() * static_cast<std::int64_t>(i)};
        behind = std::max(behind, sent + paths[leg].delay + paths[leg].jitter(i));
        copies.push_back({behind, leg, i});
        brought_[i] |= static_cast<std::uint8_t>(1u << leg);
      }
    }
    std::ranges::sort(copies, {},
                      [](const Copy& copy) { return std::tuple(copy.at, copy.leg, copy.place); });
    for (const Copy& copy : copies) {
      advance(copy.at);
      if (before_each) before_each(static_cast<std::uint64_t>(&copy - copies.data()));
      deliver(copy.leg, feed.payloads[copy.place]);
    }
    for (std::uint64_t i = 0; i < feed.payloads.size(); ++i) {
      if (brought_[i] != 0) expected_.push_back(feed.payloads[i]);
    }
  }

  void deliver(unsigned leg, std::uint64_t payload) {
    Packet& packet = packets_.emplace_back(payload, now_);
    ++offered_;
    merge.offer({&packet, payload * 0x9e3779b97f4a7c15ull, 0, 1400, leg, now_}, *this);
    after_call();
  }

  // From here on under another configuration, by way of a second merge: two inheritances.
  void configure(const MergeConfig& config) {
    FingerprintMerge between(config);
    between.take_over(merge, {}, now_, *this);
    std::destroy_at(&merge);
    std::construct_at(&merge, config);
    merge.take_over(between, {}, now_, *this);
    armed_ = kNever;
    after_call();
  }

  void advance(Instant to) {
    while (armed_ <= to) {
      now_ = std::max(now_, std::exchange(armed_, kNever));
      merge.tick(now_, *this);
      after_call();
    }
    now_ = std::max(now_, to);
  }

  void finish() {
    while (merge.held() != 0 && armed_ != kNever) advance(armed_);
    EXPECT_EQ(merge.held(), 0);
    merge.drain(now_, *this);
    EXPECT_EQ(held(), 0);
    EXPECT_EQ(offered_, out.size() + freed_);
    EXPECT_EQ(merge.forwarded(), out.size());
  }

  // What any leg delivered, each once, in the source's order.
  void expect_in_order() const {
    const auto [got, wanted] = std::ranges::mismatch(out, expected_);
    if (got == out.end() && wanted == expected_.end()) return;
    ADD_FAILURE() << out.size() << " left, " << expected_.size() << " expected; the first that is "
                  << "another is number " << got - out.begin() << ": "
                  << (got == out.end() ? "none" : std::to_string(*got)) << " for "
                  << (wanted == expected_.end() ? "none" : std::to_string(*wanted));
  }
  // The same in any order.
  void expect_union() const {
    std::map<std::uint64_t, std::int64_t> surplus;
    for (const std::uint64_t payload : out) ++surplus[payload];
    for (const std::uint64_t payload : expected_) --surplus[payload];
    for (const auto& [payload, count] : surplus) {
      if (count != 0) ADD_FAILURE() << payload << " left too often by " << count;
    }
  }
  const std::vector<std::uint64_t>& expected() const { return expected_; }

  Instant now() const { return now_; }
  Nanoseconds longest_stay() const { return longest_stay_; }
  void mark_stay() { longest_stay_ = {}; }
  std::uint64_t lost_on(unsigned leg) const {
    return static_cast<std::uint64_t>(std::ranges::count_if(
        brought_, [leg](auto legs) { return legs != 0 && (legs >> leg & 1) == 0; }));
  }

  FingerprintMerge merge;
  std::function<void(std::uint64_t)> before_each;  // of the copies of a run
  std::vector<std::uint64_t> out;
  std::vector<std::pair<unsigned, LegChange>> changes;

 private:
  struct Packet {
    std::uint64_t payload;
    Instant at;
  };

  void after_call() {
    flush();
    if (merge.wants_arming()) armed_ = std::min(armed_, merge.arm());
  }
  void pass_on(std::span<void* const> packets) noexcept override {
    for (void* one : packets) {
      const auto* packet = static_cast<const Packet*>(one);
      longest_stay_ = std::max(longest_stay_, now_ - packet->at);
      out.push_back(packet->payload);
    }
  }
  void free(std::span<void* const> packets) noexcept override { freed_ += packets.size(); }
  void gap(std::uint32_t, std::uint64_t, std::uint64_t, GapCause, Instant) noexcept override {}
  void epoch_changed(std::uint32_t, std::uint32_t, Instant) noexcept override {}
  void leg_changed(std::uint32_t, unsigned leg, LegChange change, Instant) noexcept override {
    changes.emplace_back(leg, change);
  }
  std::uint64_t content(std::uint32_t, void*) noexcept override { return 0; }
  void cut(std::uint32_t, void*, unsigned, unsigned) noexcept override { ADD_FAILURE(); }
  void* copy(std::uint32_t, void*) noexcept override { return nullptr; }

  MergeConfig config_;
  std::deque<Packet> packets_;
  std::vector<std::uint8_t> brought_;
  std::vector<std::uint64_t> expected_;
  std::uint64_t offered_ = 0;
  std::uint64_t freed_ = 0;
  Instant now_;
  Instant armed_ = kNever;
  Nanoseconds longest_stay_{};
};

}  // namespace castgate::test
