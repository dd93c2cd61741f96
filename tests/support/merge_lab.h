// SPDX-License-Identifier: Apache-2.0
// A merge window on a bench: whoever delivers copies moves the clock, an oracle that knows only
// what was delivered says what must have come out.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/base/failover/merge_heir.h"
#include "dataplane/base/failover/merge_window.h"

namespace castgate::test {

// What the source sent under one numbering. Positions are the source's own count; the wire shows
// the low bits of position + offset.
struct Generation {
  std::uint32_t epoch = 1;
  std::uint64_t offset = 0;
};

struct Copy {
  unsigned leg = 0;
  std::uint64_t position = 0;
  Instant at;
  unsigned generation = 0;
  bool wild = false;  // a number that nobody sent: must never come out
  Grade grade = Grade::Good;
  std::uint64_t content = 0;
};

struct Gap {
  std::uint64_t from;
  std::uint64_t to;
  GapCause cause;
  Instant at;
};

// Per leg and position what was delivered, from the deliveries alone.
class Oracle {
 public:
  static constexpr unsigned kMostLegs = 8;

  struct Leg {
    std::uint64_t packets = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t reordered = 0;
    std::uint64_t first = UINT64_MAX;  // lowest position that it delivered
    std::uint64_t highest = 0;
  };

  void deliver(const Copy& copy) {
    Leg& leg = legs_[copy.leg];
    ++leg.packets;
    if (copy.position >= masks_.size()) masks_.resize(copy.position + copy.position / 2 + 1024);
    const auto bit = static_cast<std::uint8_t>(1u << copy.leg);
    if ((masks_[copy.position] & bit) != 0) {
      ++leg.duplicates;
      return;
    }
    masks_[copy.position] |= bit;
    leg.first = std::min(leg.first, copy.position);
    if (copy.position < leg.highest) ++leg.reordered;
    leg.highest = std::max(leg.highest, copy.position);
    first_ = std::min(first_, copy.position);
    last_ = std::max(last_, copy.position);
  }

  const Leg& leg(unsigned index) const { return legs_[index]; }
  bool empty() const { return first_ == UINT64_MAX; }
  std::uint64_t first() const { return first_; }
  std::uint64_t last() const { return last_; }
  std::uint8_t mask(std::uint64_t position) const {
    return position < masks_.size() ? masks_[position] : 0;
  }

  // From the lowest position that the leg brought to the stream's last.
  std::uint64_t lost(unsigned leg) const {
    std::uint64_t count = 0;
    for (std::uint64_t p = std::min(legs_[leg].first, last_ + 1); p <= last_; ++p) {
      if ((masks_[p] >> leg & 1) == 0) ++count;
    }
    return legs_[leg].first == UINT64_MAX ? last_ - first_ + 1 : count;
  }

  // Lost on a leg and delivered by another, summed over the legs.
  std::uint64_t recovered(unsigned legs) const {
    std::uint64_t count = 0;
    for (unsigned leg = 0; leg < legs; ++leg) count += lost(leg);
    for (std::uint64_t p = first_; p <= last_; ++p) {
      if (masks_[p] != 0) continue;
      for (unsigned leg = 0; leg < legs; ++leg) {
        if (legs_[leg].first < p || legs_[leg].first == UINT64_MAX) --count;
      }
    }
    return count;
  }

  // Runs of positions that no leg delivered.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> holes() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> runs;
    for (std::uint64_t p = first_; p <= last_; ++p) {
      if (masks_[p] != 0) continue;
      if (!runs.empty() && runs.back().second + 1 == p) {
        runs.back().second = p;
      } else {
        runs.emplace_back(p, p);
      }
    }
    return runs;
  }

 private:
  std::array<Leg, kMostLegs> legs_;
  std::vector<std::uint8_t> masks_;
  std::uint64_t first_ = UINT64_MAX;
  std::uint64_t last_ = 0;
};

// Feeds a window as a worker does and judges what leaves it.
class MergeLab final : public MergeOutlet {
 public:
  explicit MergeLab(const MergeConfig& config, std::vector<Generation> generations = {{}})
      : window(config),
        config_(config),
        generations_(std::move(generations)),
        oracles_(generations_.size()),
        emitted_(generations_.size()) {}

  // Copies come in the order of time; the clock stops at every earlier deadline.
  void deliver(const Copy& copy);
  void advance(Instant to);
  void command(unsigned leg, LegAction command) {
    window.command(leg, command, now_, *this);
    after_call();
  }
  // From here on under another configuration, by way of a second window: two inheritances.
  void configure(const MergeConfig& config, const Inherited& from = {});
  // From deadline to deadline until nothing is held, then the end.
  void finish();

  // Everything delivered came out, once each, and in order unless the release is Arrival.
  void expect_union(unsigned generation = 0) const;
  // A forgery, a copy with a number that others have, left in place of a packet of the stream.
  std::uint64_t displaced() const;
  std::uint64_t wild_out() const { return wild_out_; }
  // Forgeries may leave where no leg had the true packet.
  void allow_forgeries() { allows_forgeries_ = true; }

  // Counters say what the oracle counted; for runs of one epoch without wild numbers.
  void expect_counters() const;
  // in = out + drops + held; drops by reason are the sum of the legs' counters.
  void expect_balance() const;
  void expect_exact() const {
    expect_union();
    expect_counters();
    expect_balance();
  }

  Instant now() const { return now_; }
  const Oracle& oracle(unsigned generation = 0) const { return oracles_[generation]; }
  std::uint64_t passed() const { return passed_; }
  // Every copy that left, in order, where `keep_exits` was set.
  const std::vector<Copy>& exits() const { return exits_; }
  void keep_exits() { keeps_exits_ = true; }
  std::uint64_t twice() const { return twice_; }
  std::uint64_t out_of_order() const { return out_of_order_; }
  unsigned times_out(std::uint64_t position, unsigned generation = 0) const {
    const auto& out = emitted_[generation];
    return position < out.size() ? out[position] : 0;
  }
  // Since `mark_pause` the longest time between two packets that left, and from first copy to exit.
  Nanoseconds longest_pause() const { return longest_pause_; }
  Nanoseconds longest_stay() const { return longest_stay_; }
  void mark_pause() { longest_pause_ = longest_stay_ = {}; }
  Instant last_out() const { return last_out_; }

  MergeWindow window;
  std::vector<Gap> gaps;
  std::vector<Instant> epoch_changes;
  std::array<std::array<unsigned, 4>, Oracle::kMostLegs> leg_changes{};

 private:
  struct Packet {
    Copy copy;
    Packet* next_free = nullptr;
  };
  static constexpr std::uint64_t kRemembered = 1u << 17;

  void pass_on(std::span<void* const> packets) noexcept override;
  void free(std::span<void* const> packets) noexcept override;
  void gap(std::uint32_t tag, std::uint64_t from, std::uint64_t to, GapCause cause,
           Instant now) noexcept override;
  void epoch_changed(std::uint32_t, std::uint32_t, Instant now) noexcept override {
    epoch_changes.push_back(now);
  }
  void leg_changed(std::uint32_t, unsigned leg, LegChange change, Instant) noexcept override {
    ++leg_changes[leg][static_cast<std::size_t>(change)];
  }
  std::uint64_t content(std::uint32_t, void* packet) noexcept override {
    return static_cast<const Packet*>(packet)->copy.content;
  }
  void cut(std::uint32_t, void*, unsigned, unsigned) noexcept override { ADD_FAILURE(); }
  void* copy(std::uint32_t, void*) noexcept override { return nullptr; }
  void after_call();
  void judge_exit(const Copy& copy);
  Packet* make(const Copy& copy);

  bool keeps_exits_ = false;
  bool allows_forgeries_ = false;
  std::vector<Copy> exits_;
  MergeConfig config_;
  std::vector<Generation> generations_;
  std::vector<Oracle> oracles_;
  std::vector<std::vector<std::uint8_t>> emitted_;
  std::deque<Packet> packets_;
  Packet* free_ = nullptr;
  std::vector<Instant> first_seen_ = std::vector<Instant>(kRemembered);
  std::uint64_t offered_ = 0;
  std::uint64_t passed_ = 0;
  std::uint64_t freed_ = 0;
  std::uint64_t wild_out_ = 0;
  std::vector<std::uint64_t> wild_positions_;
  std::uint64_t twice_ = 0;
  std::uint64_t out_of_order_ = 0;
  std::uint64_t last_position_ = 0;
  unsigned last_generation_ = 0;
  Instant now_;
  Instant armed_ = kNever;
  Instant last_out_;
  Nanoseconds longest_pause_{};
  Nanoseconds longest_stay_{};
};

}  // namespace castgate::test
