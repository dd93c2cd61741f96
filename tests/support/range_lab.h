// SPDX-License-Identifier: Apache-2.0
// A merge window for packets of several messages on a bench: what is delivered is remembered, and
// so is all that leaves. Schedules are seeded; each leg packs the messages in its own way.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/base/failover/merge_window.h"

namespace castgate::test {

inline constexpr Nanoseconds kApart =
    std::chrono::microseconds{20};  // between two messages at the source

struct Packet {
  unsigned leg = 0;
  std::uint64_t first = 0;  // message, counted from 0 at the source
  std::uint16_t count = 1;
  Instant at;
  std::uint32_t session = 1;
  std::size_t number = 0;  // of the delivery: its pieces share it
  bool forged = false;     // nobody sent it
};

// A window, and all that leaves it.
class RangeLab final : public MergeOutlet {
 public:
  explicit RangeLab(const MergeConfig& config, std::uint64_t first_number = 1000)
      : window(config), first_number_(first_number) {}

  void deliver(const Packet& packet) {
    advance(packet.at);
    const std::uint16_t count = packet.count == Located::kEnd ? 0 : packet.count;
    for (std::uint64_t m = packet.first; m < packet.first + count && !packet.forged; ++m) {
      delivered[packet.session].insert(m);
    }
    auto* copy = &*packets_.emplace_back(std::make_unique<Packet>(packet));
    copy->number = counts_.size();
    counts_.push_back(count);
    brought_[packet.leg] += count;
    ++offered;
    window.offer_range({copy, first_number_ + packet.first, packet.session, 100, packet.leg,
                        packet.at, packet.count},
                       *this);
    settle();
  }
  void advance(Instant to) {
    while (armed_ < to) {
      now_ = std::max(now_, armed_);
      armed_ = kNever;
      window.tick(now_, *this);
      settle();
    }
    now_ = std::max(now_, to);
  }
  void finish() {
    advance(now_ + std::chrono::milliseconds{500});
    window.drain(now_, *this);
    flush();
    EXPECT_EQ(window.held(), 0u);
    EXPECT_EQ(held(), 0u);
    EXPECT_EQ(offered + copied, out.size() + discarded);
  }

  // The messages that came out, in their order.
  std::vector<std::uint64_t> messages(std::uint32_t session = 1) const {
    std::vector<std::uint64_t> all;
    for (const Packet& packet : out) {
      if (packet.session != session || packet.count == Located::kEnd || packet.forged) continue;
      for (std::uint64_t m = 0; m < packet.count; ++m) all.push_back(packet.first + m);
    }
    return all;
  }
  std::vector<std::uint64_t> all_delivered(std::uint32_t session = 1) const {
    const auto found = delivered.find(session);
    if (found == delivered.end()) return {};
    return {found->second.begin(), found->second.end()};
  }
  // What a leg brought, where it repeats nothing.
  std::uint64_t brought(unsigned leg) const { return brought_[leg]; }
  // Messages cut off packets, in whatever pieces these were to leave.
  std::uint64_t cut_off() const {
    std::uint64_t sum = 0;
    for (const auto& [number, kept] : pieces_) sum += counts_[number] - kept;
    return sum;
  }
  std::uint64_t heartbeats() const {
    return static_cast<std::uint64_t>(std::ranges::count(out, 0, &Packet::count));
  }

  MergeWindow window;
  std::vector<Packet> out;
  std::map<std::uint32_t, std::set<std::uint64_t>> delivered;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps;  // numbers as on the wire
  std::uint64_t offered = 0;
  std::uint64_t copied = 0;
  std::uint64_t discarded = 0;

 private:
  void settle() {
    flush();
    if (window.wants_arming()) armed_ = std::min(armed_, window.arm());
  }
  void pass_on(std::span<void* const> packets) noexcept override {
    for (void* packet : packets) out.push_back(*static_cast<Packet*>(packet));
  }
  void free(std::span<void* const> packets) noexcept override { discarded += packets.size(); }
  void gap(std::uint32_t, std::uint64_t from, std::uint64_t to, GapCause,
           Instant) noexcept override {
    gaps.emplace_back(from, to);
  }
  void epoch_changed(std::uint32_t, std::uint32_t, Instant) noexcept override {}
  void leg_changed(std::uint32_t, unsigned, LegChange, Instant) noexcept override {}
  std::uint64_t content(std::uint32_t, void* packet) noexcept override {
    return static_cast<const Packet*>(packet)->forged ? 1 : 2;
  }
  void cut(std::uint32_t, void* packet, unsigned skip, unsigned count) noexcept override {
    auto& cut = *static_cast<Packet*>(packet);
    EXPECT_GT(count, 0u);
    EXPECT_LE(skip + count, cut.count);
    pieces_[cut.number] += count;
    cut.first += skip;
    cut.count = static_cast<std::uint16_t>(count);
  }
  void* copy(std::uint32_t, void* packet) noexcept override {
    ++copied;
    return &*packets_.emplace_back(std::make_unique<Packet>(*static_cast<Packet*>(packet)));
  }

  std::uint64_t first_number_;
  std::vector<std::unique_ptr<Packet>> packets_;
  std::vector<std::uint64_t> counts_;            // messages of each delivery
  std::map<std::size_t, std::uint64_t> pieces_;  // of those cut: what is left of them
  std::array<std::uint64_t, 8> brought_{};
  Instant now_;
  Instant armed_ = kNever;
};

inline MergeConfig range_config(MergeRelease release, bool trim = true) {
  MergeConfig config;
  config.release = release;
  config.window = 4096;
  config.width = 64;
  config.ranges = true;
  config.trim = trim;
  return config;
}

inline Instant at(std::int64_t us) {
  return {us * 1000 + 1'000'000'000};
}

// How a leg packs, delays and loses messages 0 to `last`.
struct LegPlan {
  unsigned most = 1;  // messages in a packet
  Nanoseconds delay{};
  double loss = 0;
  unsigned longest_run = 2;  // packets lost in a row
  bool heartbeats = false;   // after each pause
};

inline void pack(std::vector<Packet>& into, unsigned leg, const LegPlan& plan, std::uint64_t last,
                 std::mt19937_64& random) {
  unsigned run = 0;
  for (std::uint64_t first = 0; first <= last;) {
    const auto count = std::min<std::uint64_t>(1 + random() % plan.most, last + 1 - first);
    const Instant sent = at(0) + static_cast<std::int64_t>(first + count - 1) * kApart + plan.delay;
    const bool edge = first < 40 || first + count > last - 20;
    const bool lost = !edge && run < plan.longest_run &&
                      static_cast<double>(random() % 10'000) < plan.loss * 10'000;
    run = lost ? run + 1 : 0;
    if (!lost) into.push_back({leg, first, static_cast<std::uint16_t>(count), sent});
    first += count;
    if (plan.heartbeats && first % 50 < count) {
      into.push_back({leg, first, 0, sent + kApart / 2});
    }
  }
}

inline std::vector<Packet> schedule(std::span<const LegPlan> plans, std::uint64_t last,
                                    std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Packet> packets;
  for (unsigned leg = 0; leg < plans.size(); ++leg) {
    pack(packets, leg, plans[leg], last, random);
  }
  std::ranges::sort(packets, {}, [](const Packet& packet) {
    return std::tuple(packet.at, packet.leg, packet.first, packet.count == 0);
  });
  return packets;
}

inline std::vector<LegPlan> any_plans(std::mt19937_64& random) {
  std::vector<LegPlan> plans(1 + random() % 3);
  constexpr std::array<double, 4> kLosses{0, 0.02, 0.1, 0.3};
  for (LegPlan& plan : plans) {
    plan.most = 1 + static_cast<unsigned>(random() % 12);
    plan.delay = std::chrono::microseconds{random() % 3000};
    plan.loss = kLosses[random() % kLosses.size()];
    plan.heartbeats = random() % 3 == 0;
  }
  return plans;
}

}  // namespace castgate::test
