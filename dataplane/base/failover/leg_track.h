// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/base/failover/skew_histogram.h"
#include "dataplane/base/instant.h"
#include "dataplane/base/sequence/located.h"

namespace castgate {

// The verdict on a packet: what is worse leaves only where nothing better comes.
enum class Grade : std::uint8_t { Good, Degraded, Corrupt };

// One packet on its way into a merge window. `raw` is the position as it is on the wire: the low
// bits of the true one, as many as the window was made for.
struct Arrival {
  void* packet;
  std::uint64_t raw;
  std::uint32_t epoch;  // SSRC, session
  std::uint32_t bytes;
  unsigned leg;
  Instant now;
  std::uint16_t count = 1;  // positions from `raw` on, as Located has it
  Grade grade = Grade::Good;
};

inline unsigned positions_in(const Arrival& a) noexcept {
  return a.count == Located::kEnd ? 0 : a.count;
}

// Packets that claim a far-off position or another epoch, kept until a run of them confirms it.
struct Candidate {
  static constexpr unsigned kMost = 4;

  std::array<Arrival, kMost> kept{};
  unsigned count = 0;
  unsigned run = 0;        // came since the leg last moved on in the stream
  bool confirmed = false;  // a new epoch that waits for the other legs
  std::uint32_t leg_hi = 0;
  std::uint64_t last_raw = 0;
  Instant last_at;
  std::uint64_t progress = 0;  // of the current epoch, when last looked at
  Instant quiet_since;         // the current epoch made no progress since
  unsigned quiet = 0;          // nor during the last so many packets
};

// What a window knows of one leg beyond the hot line. Counters are the worker's own.
struct LegTrack {
  bool seen = false;  // delivered in this epoch
  bool live = false;  // seen, and not silent: a gap waits for it
  bool diverged = false;
  bool unwanted = false;  // locked out by an operator
  Instant doubted_until;  // a packet that jumped ahead of its turn proved false lately
  unsigned quiet_checks = 0;
  unsigned heartbeats = 0;         // that announced the stream's heartbeat_at_
  std::uint64_t packets_high = 0;  // carries of the hot 32-bit counters, in units of 2^32
  std::uint64_t bytes_high = 0;
  std::uint32_t checked_hi = 0;
  std::uint32_t marked_hi = 0;
  std::uint64_t heard_at = 0;          // where the stream was when the leg was last heard
  std::uint64_t left_at = 0;           // the leg's highest position when it ceased to be live
  std::uint64_t first = 0;             // its lowest position of this epoch
  std::uint64_t settled = 0;           // of a leg never seen: lost on it below, at the end
  std::uint64_t unrecovered_mark = 0;  // given up in the stream below marked_hi
  std::uint64_t lost = 0;
  std::uint64_t reordered = 0;
  std::uint64_t duplicate_same_leg = 0;
  std::uint64_t late = 0;
  std::uint64_t late_after_release = 0;
  std::uint64_t wild_sequence = 0;
  std::uint64_t other_epoch = 0;
  std::uint64_t locked_out = 0;
  std::uint64_t content_mismatch = 0;
  std::uint64_t first_wins = 0;
  std::uint64_t state_changes = 0;
  std::uint64_t jitter_ns = 0;
  Instant sampled_at;
  std::int64_t sampled_span_ns = 0;
  std::uint64_t sampled_position = 0;
  std::int64_t pace_ns = 0;           // from one position to the next, of late
  std::int64_t skew_smoothed_ns = 0;  // playout: behind the clock of first copies
  SkewHistogram skew;
  Candidate candidate;

  bool trusted(Instant now) const noexcept { return doubted_until <= now; }
};

// The hot fields of legs past the second, which do not fit the window's first line.
struct ExtraLeg {
  std::uint64_t recent = ~0ull;
  std::uint32_t hi = 0;
  std::uint32_t packets = 0;
  std::uint32_t bytes = 0;
};

}  // namespace castgate
