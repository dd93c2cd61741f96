// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>

#include "dataplane/base/address.h"
#include "dataplane/base/instant.h"

namespace castgate {

// So many requests a second of each peer, and a burst of twice as many. Bounded: where more peers
// come than it remembers, those that have not asked for a second are forgotten, then all are.
class RateLimit {
 public:
  static constexpr std::size_t kMostPeers = 16'384;

  explicit RateLimit(unsigned per_second) : per_second_(per_second) {}

  bool allows(const IpAddress& peer, Instant now) {
    if (peers_.size() >= kMostPeers && !peers_.contains(peer.bytes())) forget(now);
    const auto [found, is_new] = peers_.try_emplace(peer.bytes(), Bucket{burst(), now});
    Bucket& bucket = found->second;
    const double passed = std::chrono::duration<double>(now - bucket.at).count();
    bucket.tokens = std::min(burst(), bucket.tokens + passed * per_second_);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
  std::size_t peers() const noexcept { return peers_.size(); }

 private:
  struct Bucket {
    double tokens;
    Instant at;
  };

  double burst() const noexcept { return 2.0 * per_second_; }
  void forget(Instant now) {
    boost::unordered::erase_if(
        peers_, [&](const auto& peer) { return now - peer.second.at > std::chrono::seconds(1); });
    if (peers_.size() >= kMostPeers) peers_.clear();
  }

  unsigned per_second_;
  boost::unordered_flat_map<std::array<std::uint8_t, 16>, Bucket> peers_;
};

}  // namespace castgate
