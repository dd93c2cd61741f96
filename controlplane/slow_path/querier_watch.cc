// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/querier_watch.h"

#include <algorithm>

namespace castgate {

void QuerierWatch::heard(Instant now, Nanoseconds interval) noexcept {
  constexpr Nanoseconds kShortest = std::chrono::seconds(1);
  heard_ = now;
  refreshed_ = now;  // the kernel has answered
  interval_ = std::max(interval, kShortest);
}

bool QuerierWatch::refresh_due(Instant now) noexcept {
  const Nanoseconds pace = interval_.count() == 0 ? kRefresh : std::min(interval_, kRefresh);
  const Nanoseconds patience = interval_ + interval_ / 8;  // a query may be late or get lost
  if (now - heard_ < patience || now - refreshed_ < pace) return false;
  refreshed_ = now;
  return true;
}

void QuerierWatch::pardon(Nanoseconds pause) noexcept {
  heard_ = heard_ + pause;
  refreshed_ = refreshed_ + pause;
}

}  // namespace castgate
