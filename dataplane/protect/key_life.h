// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "dataplane/base/instant.h"
#include "dataplane/contract/protect_spec.h"

namespace castgate {

// How many packets a key seals, and for how long: until its successor is due, and at most.
struct KeyLife {
  std::uint64_t soft_packets;
  std::uint64_t hard_packets;
  Nanoseconds soft_time;  // at most 2^62 ns
  Nanoseconds hard_time;
};

inline KeyLife life_of(const ProtectSpec& spec) noexcept {
  constexpr std::uint64_t kAnyPackets = std::uint64_t{1} << 62;
  constexpr Nanoseconds kAnyTime{std::int64_t{1} << 62};
  // Of what a key may seal, so that its successor is never late.
  const auto most_of = [](auto whole) { return whole / 5 * 4 + whole % 5 * 4 / 5; };
  KeyLife life{};
  life.hard_packets = spec.is_srtp() ? std::uint64_t{1} << 48 : kAnyPackets;
  if (spec.is_esp() && !spec.esn) life.hard_packets = std::uint64_t{1} << 32;
  if (spec.max_packets != 0) {
    life.hard_packets = std::min(life.hard_packets, std::uint64_t{spec.max_packets});
  }
  life.soft_packets = spec.rekey_packets != 0
                          ? spec.rekey_packets
                          : std::max<std::uint64_t>(most_of(life.hard_packets), 1);
  life.hard_time = spec.max_time.count() != 0 ? spec.max_time : kAnyTime;
  life.soft_time = kAnyTime;
  if (spec.max_time.count() != 0) life.soft_time = Nanoseconds(most_of(spec.max_time.count()));
  if (spec.rekey_time.count() != 0) life.soft_time = spec.rekey_time;
  return life;
}

}  // namespace castgate
