// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/way_review.h"

#include <algorithm>
#include <utility>

namespace castgate {

void WayReview::note(const std::optional<IpPrefix>& to, Instant now) {
  if (!due_) due_ = now + kGather;
  if (next_is_all_) return;
  if (to && std::ranges::find(next_, *to) != next_.end()) return;
  next_is_all_ = !to || next_.size() == kMostPrefixes;
  if (next_is_all_) {
    next_.clear();
  } else {
    next_.push_back(*to);
  }
}

bool WayReview::concerns(const ClientEntry& client) const {
  return client.present && (now_is_all_ || std::ranges::any_of(now_, [&](const IpPrefix& prefix) {
                              return prefix.contains(client.route.to.address);
                            }));
}

void WayReview::turn(std::deque<ClientEntry>& clients, NextHops& hops, Instant now) {
  if (!passing_ && due_ && *due_ <= now) {
    due_.reset();
    passing_ = true;
    at_ = 0;
    now_ = std::exchange(next_, {});
    now_is_all_ = std::exchange(next_is_all_, false);
  }
  if (!passing_) return;
  unsigned asks = kAsksPerTurn;
  for (unsigned looks = kLooksPerTurn; looks > 0 && asks > 0 && at_ < clients.size(); --looks) {
    ClientEntry& client = clients[at_++];
    if (concerns(client) && hops.review(client)) --asks;
  }
  passing_ = at_ < clients.size();
}

}  // namespace castgate
