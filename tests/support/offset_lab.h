// SPDX-License-Identifier: Apache-2.0
// Two servers that are fed alike and number as they like, against what a packet's index says its
// numbers must be.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/base/offset/stream_offsets.h"

namespace castgate::test {

using namespace std::chrono_literals;

struct Server {
  std::uint32_t first = 0;  // number of payload 0
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 1;
  Nanoseconds late{0};
};

struct LegCopy {
  Instant at;
  unsigned leg = 0;
  unsigned index = 0;
  std::uint64_t payload = 0;
  PacketNumbers numbers;
};

inline void in_order_of_time(std::vector<LegCopy>& copies) {
  std::ranges::sort(copies, {},
                    [](const LegCopy& copy) { return std::tuple(copy.at, copy.leg, copy.index); });
}

inline constexpr auto kInterval = 100us;
inline constexpr auto kMaxSkew = 10ms;
inline constexpr unsigned kTicks = 90;

class StreamOffsetsTest : public testing::Test {
 protected:
  StreamOffsetsTest() { remake({{}, {.automatic = true, .positions = 0}}); }

  void remake(const std::vector<LegOffset>& legs, unsigned width = 16) {
    width_ = width;
    offsets_.emplace(legs, OffsetConfig{.width = width, .max_skew = kMaxSkew, .remembered = 512});
    offsets_->use(fingerprint_);
    copies_.clear();
    admitted_.clear();
    lost_.clear();
  }

  std::uint64_t number(const Server& server, unsigned index) const {
    return (std::uint64_t{server.first} + index) & (~0ull >> (64 - width_));
  }

  // Payloads [from, to), as `leg` of this server brings them.
  void send(unsigned leg, const Server& server, unsigned from, unsigned to) {
    for (unsigned i = from; i < to; ++i) {
      if (loss_percent_ != 0 && random_() % 100 < loss_percent_) continue;
      copies_.push_back({Instant{1'000'000'000} + i * Nanoseconds{kInterval} + server.late,
                         leg,
                         i,
                         content_(i),
                         {number(server, i), server.ssrc, server.timestamp + kTicks * i}});
    }
  }

  // All that was sent, in the order in which it comes. Leg 0 is the reference, `stream`.
  void run(const Server& stream) {
    in_order_of_time(copies_);
    for (const LegCopy& copy : copies_) {
      PacketNumbers numbers = copy.numbers;
      const bool known = offsets_->admit(copy.leg, numbers,
                                         std::as_bytes(std::span(&copy.payload, 1)), true, copy.at);
      StreamOffsets::Changed changed;
      while (offsets_->take_change(changed)) {
        locked_ += changed.change.locked ? 1 : 0;
        if (changed.change.lost) lost_.push_back(copy.index);
      }
      if (!known) continue;
      admitted_[copy.leg].push_back(copy.index);
      if (copy.leg == 0) continue;
      ASSERT_EQ(numbers.raw, number(stream, copy.index)) << "payload " << copy.index;
      ASSERT_EQ(numbers.epoch, stream.ssrc);
      ASSERT_EQ(numbers.timestamp, stream.timestamp + kTicks * copy.index);
    }
    copies_.clear();
  }

  // The first payload that the leg might use.
  unsigned begins(unsigned leg) { return admitted_[leg].empty() ? ~0u : admitted_[leg].front(); }

  Fingerprint fingerprint_{7};
  std::optional<StreamOffsets> offsets_;
  unsigned width_ = 16;
  std::mt19937 random_{1};
  unsigned loss_percent_ = 0;
  std::uint64_t (*content_)(unsigned) = [](unsigned index) { return std::uint64_t{index} + 1; };
  std::vector<LegCopy> copies_;
  std::map<unsigned, std::vector<unsigned>> admitted_;
  std::vector<unsigned> lost_;
  unsigned locked_ = 0;
};

inline constexpr Server kA{.first = 100, .timestamp = 5'000, .ssrc = 0xa, .late = 0us};

}  // namespace castgate::test
