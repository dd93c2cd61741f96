// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dataplane/base/instant.h"

namespace castgate {

// Whether somebody asks for memberships on a network, and when to refresh them because nobody does.
// Switches forget a membership after 2 query intervals and 10 s: 260 s by default.
class QuerierWatch {
 public:
  static constexpr Nanoseconds kForgotten = std::chrono::seconds(260);
  static constexpr Nanoseconds kRefresh = std::chrono::seconds(60);

  explicit QuerierWatch(Instant start) noexcept : heard_(start), refreshed_(start) {}

  // A general query, and how often its sender says that it asks.
  void heard(Instant now, Nanoseconds interval) noexcept;
  // True when memberships should be refreshed now; counts as done. Begins when the querier missed
  // its own interval, not at 260 s: by then switches have forgotten. A querier that asked every 5 s
  // leads switches that forget within 20 s, so the refresh keeps to its pace.
  bool refresh_due(Instant now) noexcept;
  bool absent(Instant now) const noexcept { return now - heard_ >= kForgotten; }
  // After a pause of the control thread: time in which nothing could be heard does not count.
  void pardon(Nanoseconds pause) noexcept;

 private:
  Instant heard_;
  Instant refreshed_;
  Nanoseconds interval_{0};  // 0: no querier was ever heard
};

}  // namespace castgate
