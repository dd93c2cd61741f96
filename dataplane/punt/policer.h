// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "dataplane/base/instant.h"
#include "dataplane/base/packet/parse.h"

namespace castgate {

// Lets through as many packets a second, per class, as the host stack needs; a flood of one class
// starves neither the others nor the worker. Token buckets that hold a tenth of a second.
class Policer {
 public:
  // Packets a second by HostKind: UDP that no stream takes, ARP, ICMP, IGMP, ND and MLD, errors,
  // TCP. Who joins by TCP sends six or so. A tenth of a second of all is what the ring can hold.
  static constexpr std::array<std::int64_t, 7> kRates{1000, 2000, 1000, 100, 500, 1000, 5000};

  bool allow(HostKind kind, Instant now) noexcept {
    const auto i = static_cast<std::size_t>(kind);
    Bucket& bucket = buckets_[i];
    const std::int64_t cost = kSecond / kRates[i];
    bucket.earned_ns = std::min(bucket.earned_ns + (now.ns - bucket.at.ns), kDeepest);
    bucket.at = now;
    if (bucket.earned_ns < cost) return false;
    bucket.earned_ns -= cost;
    return true;
  }

 private:
  static constexpr std::int64_t kSecond = 1'000'000'000;
  static constexpr std::int64_t kDeepest = kSecond / 10;

  struct Bucket {
    Instant at;
    std::int64_t earned_ns = kDeepest;
  };
  std::array<Bucket, kRates.size()> buckets_{};
};

}  // namespace castgate
