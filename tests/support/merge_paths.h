// SPDX-License-Identifier: Apache-2.0
// A source that sends at an even pace over one path per leg; paths lose, delay, repeat and reorder
// as their functions say, which are seeded or depend on the position alone.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <vector>

#include "tests/support/merge_lab.h"

namespace castgate::test {

inline constexpr MergeRelease kReleases[] = {MergeRelease::Arrival, MergeRelease::Ordered,
                                             MergeRelease::Playout};

struct Path {
  Nanoseconds delay{};
  std::function<bool(std::uint64_t)> loses;
  std::function<Nanoseconds(std::uint64_t)> extra_delay;
  std::function<unsigned(std::uint64_t)> copies;  // further ones, right behind the first
};

struct Sending {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  Nanoseconds interval{100'000};  // 10 kpps
  Instant start{1'000'000'000};
  unsigned generation = 0;
};

// What is on its way; taken out in the order of time, then of sending.
class Wire {
 public:
  // Passes the verdict on each copy when it is delivered.
  void grade_with(std::function<Grade(const Copy&)> grade) { grade_ = std::move(grade); }
  void put(const Copy& copy) { copies_.push({copy, order_++}); }
  bool empty() const { return copies_.empty(); }
  void deliver_before(Instant end, MergeLab& lab) {
    while (!copies_.empty() && copies_.top().copy.at < end) {
      Copy copy = copies_.top().copy;
      if (grade_) copy.grade = grade_(copy);
      lab.deliver(copy);
      copies_.pop();
    }
  }

 private:
  struct Travelling {
    Copy copy;
    std::uint64_t order;
    bool operator<(const Travelling& other) const {
      return copy.at == other.copy.at ? order > other.order : copy.at > other.copy.at;
    }
  };
  std::priority_queue<Travelling> copies_;
  std::uint64_t order_ = 0;
  std::function<Grade(const Copy&)> grade_;
};

inline void send_one(Wire& wire, const std::vector<Path>& paths, const Copy& packet) {
  for (unsigned leg = 0; leg < paths.size(); ++leg) {
    const Path& path = paths[leg];
    if (path.loses && path.loses(packet.position)) continue;
    Copy copy = packet;
    copy.leg = leg;
    copy.at = packet.at + path.delay;
    if (path.extra_delay) copy.at = copy.at + path.extra_delay(packet.position);
    const unsigned repeats = path.copies ? path.copies(packet.position) : 0;
    for (unsigned i = 0; i <= repeats; ++i) wire.put(copy);
  }
}

// Sends, and leaves on the wire what is still under way. The moment after the last interval.
inline Instant send(Wire& wire, MergeLab& lab, const std::vector<Path>& paths,
                    const Sending& sending) {
  Instant at = sending.start;
  for (std::uint64_t i = 0; i < sending.count; ++i) {
    wire.deliver_before(at, lab);
    send_one(wire, paths, {0, sending.first + i, at, sending.generation, false});
    at = at + sending.interval;
  }
  return at;
}

inline void send_all(MergeLab& lab, const std::vector<Path>& paths, const Sending& sending) {
  Wire wire;
  send(wire, lab, paths, sending);
  wire.deliver_before(kNever, lab);
  lab.finish();
}

// Independent losses with probability p.
inline std::function<bool(std::uint64_t)> random_loss(double p, std::uint64_t seed) {
  const auto limit = static_cast<std::uint64_t>(p * 4294967296.0);
  return [random = std::mt19937_64(seed), limit](std::uint64_t) mutable {
    return (random() >> 32) < limit;
  };
}

// Gilbert-Elliott: everything is lost in the bad state, which lasts `mean_burst` packets on
// average.
inline std::function<bool(std::uint64_t)> burst_loss(double p, double mean_burst,
                                                     std::uint64_t seed) {
  const double leave = 1.0 / mean_burst;
  const double enter = p * leave / (1.0 - p);
  return [random = std::mt19937_64(seed), leave, enter, bad = false](std::uint64_t) mutable {
    const double draw = std::uniform_real_distribution<double>()(random);
    bad = bad ? draw >= leave : draw < enter;
    return bad;
  };
}

}  // namespace castgate::test
