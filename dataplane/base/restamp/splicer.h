// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "dataplane/base/instant.h"

namespace castgate {

// What tells an RTP packet's place: 16 bits of sequence, or 32 with RFC 4175's high half.
struct RtpNumbers {
  std::uint32_t sequence = 0;
  std::uint32_t timestamp = 0;
};

struct SplicerConfig {
  unsigned sequence_bits = 16;       // or 32
  std::uint32_t clock_rate = 0;      // Hz; 0: that of the packet's payload type
  std::uint64_t max_rate_pps = 0;    // a source's; what jumps further is numbered anew
  Nanoseconds max_skew{10'000'000};  // what is released may be so much older than it looks
  bool even = false;                 // packets leave a constant time after they came
};

// Makes one RTP numbering of all that a source has over its restarts. Within an epoch sequence and
// timestamp are moved by constants, so holes stay holes; the first packet of the next epoch follows
// the highest number that left, and its timestamp is later by the time that passed, never earlier.
class RtpSplicer {
 public:
  explicit RtpSplicer(const SplicerConfig& config) noexcept;

  // The packets after this one are numbered anew. `came`: when the first of them arrived. Where
  // that is not known (kNever) or packets leave evenly, the moment at which it leaves counts.
  void begin_epoch(Instant came) noexcept {
    joining_ = true;
    came_ = config_.even ? kNever : came;
  }

  // Goes on numbering where `old` ended, under our own configuration.
  void inherit(const RtpSplicer& old) noexcept {
    const SplicerConfig config = config_;
    const bool same = shift_ == old.shift_;
    const unsigned shift = shift_;
    *this = old;
    config_ = config;
    shift_ = shift;
    if (!same) begin_epoch(kNever);
  }

  // Moves the numbers of a packet that leaves at `now`. False when it lies before the first packet
  // of its epoch: that number is the former epoch's.
  bool splice(RtpNumbers& numbers, std::uint8_t payload_type, Instant now) noexcept;

 private:
  std::int32_t from_newest(std::uint32_t sequence) const noexcept {
    return static_cast<std::int32_t>((sequence - newest_sequence_) << shift_) >> shift_;
  }
  bool is_renumbered(std::int32_t step, Instant now) const noexcept;
  void join(const RtpNumbers& first, std::uint8_t payload_type, Instant now) noexcept;
  void note_time(std::uint32_t timestamp, Instant now) noexcept;

  SplicerConfig config_;
  unsigned shift_;         // 32 less the bits of a sequence number
  bool started_ = false;   // a packet has left
  bool joining_ = true;    // the next packet is the first of its epoch
  Instant came_ = kNever;  // see begin_epoch
  Instant left_;           // the newest packet
  std::uint32_t rate_ = 0;
  std::uint32_t sequence_offset_ = 0;
  std::uint32_t timestamp_offset_ = 0;
  std::uint32_t newest_sequence_ = 0;   // highest that left
  std::uint64_t own_ = 0;               // numbers from the epoch's first to the highest
  std::uint32_t newest_timestamp_ = 0;  // latest that left
  std::int32_t timestamp_step_ = 1;     // from the one before to it
  // Of the last second or so the packet that left earliest for its timestamp; any where all leave
  // evenly, since then it is only the end of an epoch that leaves early.
  std::uint32_t anchor_timestamp_ = 0;
  Instant anchor_;
};

}  // namespace castgate
