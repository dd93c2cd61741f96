// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "controlplane/slow_path/neighbour_messages.h"
#include "dataplane/base/instant.h"

namespace castgate {

// Decides when the kernel is to ask neighbours for their MAC addresses, and says what they are. A
// neighbour that is known is asked itself again and again, as RFC 1122 2.3.2.1 has it; one that
// does not answer may have another MAC address, so all are asked, while the last one is believed
// for a while. Moments are arguments and never run backwards.
class NeighbourWatch {
 public:
  // A MAC address that changes without a word is followed within the sum of both, some 0.7 s.
  static constexpr Nanoseconds kPoll = std::chrono::milliseconds(400);
  static constexpr Nanoseconds kAnswer = std::chrono::milliseconds(250);
  // Without an answer of anybody: as long as the kernel asks (3 times, a second apart).
  static constexpr Nanoseconds kGrace = std::chrono::seconds(3);
  // Between attempts for one that nobody has: 4 s first, then twice as long each time.
  static constexpr Nanoseconds kRetry = std::chrono::seconds(4);
  static constexpr Nanoseconds kMostRetry = std::chrono::seconds(32);
  // How often turn() is called, and orders of each kind that it gives: 400 polls a second, which
  // the data plane's policer lets answer; more than 160 neighbours are asked less often.
  static constexpr Nanoseconds kTurn = std::chrono::milliseconds(10);
  static constexpr unsigned kPollsPerTurn = 4;
  static constexpr unsigned kResolvesPerTurn = 16;

  using Give = std::function<void(const NeighbourKey& key, NeighbourOrder order)>;
  using Changed = std::function<void(const NeighbourKey& key, std::optional<MacAddress> mac)>;

  NeighbourWatch(Give give, Changed changed, std::uint32_t seed)
      : give_(std::move(give)), changed_(std::move(changed)), random_(seed) {}

  // Counted. The first of a neighbour looks whether it is known.
  void add(const NeighbourKey& key, Instant now);
  void remove(const NeighbourKey& key);
  void hear(const NeighbourNews& news, Instant now);
  void turn(Instant now);

  std::optional<MacAddress> mac(const NeighbourKey& key) const;
  std::size_t size() const noexcept { return neighbours_.size(); }

 private:
  enum class Phase : std::uint8_t {
    Asking,   // nobody has answered
    Known,    //
    Probing,  // asked whether it is still there
    Renewing  // it did not say so: all are asked
  };
  struct Neighbour {
    unsigned users = 0;
    std::optional<MacAddress> mac;  // as told
    Phase phase = Phase::Asking;
    Instant due = kNever;
    unsigned tries = 0;
  };
  using Neighbours = std::map<NeighbourKey, Neighbour>;
  using Queue = std::set<std::pair<Instant, const NeighbourKey*>>;

  // Polls wait in a queue of their own, so that many of them hold up nothing else.
  Queue& queue_of(const Neighbour& neighbour) {
    return neighbour.phase == Phase::Known ? polls_ : others_;
  }
  void enter(Neighbours::iterator at, Phase phase, Instant due);
  void turn(Queue& queue, unsigned most, Instant now);
  void step(Neighbours::iterator at, Instant now);
  void hear_mac(Neighbours::iterator at, const NeighbourNews& news, Instant now);
  void tell(Neighbours::iterator at, std::optional<MacAddress> mac);
  Nanoseconds jittered(Nanoseconds span);

  Give give_;
  Changed changed_;
  std::uint32_t random_;
  Neighbours neighbours_;
  Queue polls_;
  Queue others_;
};

}  // namespace castgate
