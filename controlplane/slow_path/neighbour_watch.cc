// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/neighbour_watch.h"

#include <algorithm>

namespace castgate {

void NeighbourWatch::enter(Neighbours::iterator at, Phase phase, Instant due) {
  Neighbour& neighbour = at->second;
  queue_of(neighbour).erase({neighbour.due, &at->first});
  neighbour.phase = phase;
  neighbour.due = due;
  if (due != kNever) queue_of(neighbour).insert({due, &at->first});
}

void NeighbourWatch::add(const NeighbourKey& key, Instant now) {
  const auto [at, is_new] = neighbours_.try_emplace(key);
  ++at->second.users;
  if (!is_new) return;
  enter(at, Phase::Asking, now);
  give_(key, NeighbourOrder::Look);
}

void NeighbourWatch::remove(const NeighbourKey& key) {
  const auto at = neighbours_.find(key);
  if (at == neighbours_.end() || --at->second.users != 0) return;
  queue_of(at->second).erase({at->second.due, &at->first});
  neighbours_.erase(at);
}

std::optional<MacAddress> NeighbourWatch::mac(const NeighbourKey& key) const {
  const auto at = neighbours_.find(key);
  return at == neighbours_.end() ? std::nullopt : at->second.mac;
}

void NeighbourWatch::hear(const NeighbourNews& news, Instant now) {
  const auto at = neighbours_.find(news.key);
  if (at == neighbours_.end()) return;
  const Phase phase = at->second.phase;
  switch (news.state) {
    case NeighbourState::Stale:
    case NeighbourState::Reachable:
    case NeighbourState::Fixed:
      return hear_mac(at, news, now);
    case NeighbourState::Failed:
    case NeighbourState::Gone:
      // As if a probe had not been answered. In the other phases it is asked for anyway.
      if (phase == Phase::Known || phase == Phase::Probing) enter(at, Phase::Probing, now);
      return;
    case NeighbourState::Incomplete:
      return;
  }
}

void NeighbourWatch::hear_mac(Neighbours::iterator at, const NeighbourNews& news, Instant now) {
  Neighbour& neighbour = at->second;
  neighbour.tries = 0;
  if (news.state == NeighbourState::Fixed) {
    enter(at, Phase::Known, kNever);
  } else if (news.state == NeighbourState::Reachable) {
    enter(at, Phase::Known, now + jittered(kPoll));
  } else if (neighbour.phase != Phase::Probing) {
    // Somebody said so, maybe not the neighbour itself.
    const bool is_new = neighbour.phase != Phase::Known || neighbour.mac != news.mac;
    if (is_new || neighbour.due == kNever) enter(at, Phase::Known, now);
  }
  tell(at, news.mac);
}

void NeighbourWatch::tell(Neighbours::iterator at, std::optional<MacAddress> mac) {
  if (at->second.mac == mac) return;
  at->second.mac = mac;
  changed_(at->first, mac);
}

void NeighbourWatch::turn(Instant now) {
  turn(others_, kResolvesPerTurn, now);
  turn(polls_, kPollsPerTurn, now);
}

void NeighbourWatch::turn(Queue& queue, unsigned most, Instant now) {
  for (unsigned i = 0; i < most && !queue.empty() && queue.begin()->first <= now; ++i)
    step(neighbours_.find(*queue.begin()->second), now);
}

void NeighbourWatch::step(Neighbours::iterator at, Instant now) {
  Neighbour& neighbour = at->second;
  const NeighbourKey& key = at->first;
  switch (neighbour.phase) {
    case Phase::Known:
      enter(at, Phase::Probing, now + kAnswer);
      return give_(key, NeighbourOrder::Probe);
    case Phase::Probing:
      enter(at, Phase::Renewing, now + kGrace);
      give_(key, NeighbourOrder::Forget);
      return give_(key, NeighbourOrder::Resolve);
    case Phase::Renewing:
      enter(at, Phase::Asking, now);
      return tell(at, std::nullopt);
    case Phase::Asking:
      const Nanoseconds pause =
          std::min(kRetry * (1u << std::min(neighbour.tries, 8u)), kMostRetry);
      ++neighbour.tries;
      enter(at, Phase::Asking, now + jittered(pause));
      return give_(key, NeighbourOrder::Resolve);
  }
}

// 90 to 110 %, so that neighbours are not all asked at once.
Nanoseconds NeighbourWatch::jittered(Nanoseconds span) {
  random_ = random_ * 1664525 + 1013904223;  // Numerical Recipes, 7.1
  return span * (230 + (random_ >> 26)) / 256;
}

}  // namespace castgate
