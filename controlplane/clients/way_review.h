// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "controlplane/clients/client_entry.h"
#include "controlplane/clients/next_hops.h"

namespace castgate {

// Looks again by which host clients are reached after routes of the kernel's have changed: those
// whom a changed route may concern, a bounded portion a turn. What changes in a storm is gathered,
// so clients are gone through once for all of it.
class WayReview {
 public:
  // A route that is taken away and given anew within it moves nobody.
  static constexpr Nanoseconds kGather = std::chrono::milliseconds(100);
  static constexpr std::size_t kMostPrefixes = 32;  // of more, everybody is looked at
  static constexpr unsigned kLooksPerTurn = 4096;   // whether a route concerns them
  static constexpr unsigned kAsksPerTurn = 64;      // of the kernel, some 5 us each

  // A route to these has changed; none: any may have.
  void note(const std::optional<IpPrefix>& to, Instant now);
  // Once a millisecond. `clients` is the table, by slot.
  void turn(std::deque<ClientEntry>& clients, NextHops& hops, Instant now);
  bool is_idle() const noexcept { return !passing_ && !due_; }

 private:
  bool concerns(const ClientEntry& client) const;

  std::optional<Instant> due_;  // of the next pass
  std::vector<IpPrefix> next_;  // what it is about
  bool next_is_all_ = false;
  bool passing_ = false;
  std::size_t at_ = 0;  // the slot to be looked at
  std::vector<IpPrefix> now_;
  bool now_is_all_ = false;
};

}  // namespace castgate
