// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/restamp/splicer.h"

#include <algorithm>

#include "dataplane/base/check.h"
#include "dataplane/base/restamp/media_clock.h"

namespace castgate {
namespace {

// Clocks differ by up to some 100 ppm: an anchor that is older than this says nothing any more.
constexpr Nanoseconds kAnchorLasts{1'000'000'000};
// Positions that a leg may always jump (MergeWindow).
constexpr std::int32_t kNear = 64;
// In the first epoch every number is its own.
constexpr std::uint64_t kAll = 1ull << 32;

}  // namespace

RtpSplicer::RtpSplicer(const SplicerConfig& config) noexcept
    : config_(config), shift_(32 - config.sequence_bits) {
  CG_CHECK(config.sequence_bits == 16 || config.sequence_bits == 32);
}

bool RtpSplicer::splice(RtpNumbers& numbers, std::uint8_t payload_type, Instant now) noexcept {
  if (joining_) [[unlikely]]
    join(numbers, payload_type, now);
  std::int32_t step = from_newest(numbers.sequence + sequence_offset_);
  if (step > kNear && is_renumbered(step, now)) [[unlikely]] {
    came_ = kNever;
    join(numbers, payload_type, now);
    step = 1;
  }
  if (step > 0) {
    newest_sequence_ += static_cast<std::uint32_t>(step);
    own_ += static_cast<std::uint32_t>(step);
  } else if (static_cast<std::uint64_t>(-std::int64_t{step}) >= own_) [[unlikely]] {
    return false;
  }
  numbers.sequence += sequence_offset_;
  numbers.timestamp += timestamp_offset_;
  note_time(numbers.timestamp, now);
  left_ = now;
  return true;
}

// More positions ahead than a source can have sent since: not lost, but numbered anew. (What is
// numbered anew and lies behind is a new epoch to the merge window.)
bool RtpSplicer::is_renumbered(std::int32_t step, Instant now) const noexcept {
  constexpr double kNanosecondsPerSecond = 1e9;
  const double seconds =
      static_cast<double>((now - left_ + config_.max_skew).count()) / kNanosecondsPerSecond;
  return step > static_cast<double>(config_.max_rate_pps) * seconds;
}

void RtpSplicer::join(const RtpNumbers& first, std::uint8_t payload_type, Instant now) noexcept {
  joining_ = false;
  rate_ = config_.clock_rate != 0 ? config_.clock_rate : rtp_clock_rate(payload_type);
  const Instant at = std::min(came_, now);
  if (!started_) {
    started_ = true;
    newest_sequence_ = first.sequence - 1;
    own_ = kAll;
    newest_timestamp_ = first.timestamp;
  } else {
    sequence_offset_ = newest_sequence_ + 1 - first.sequence;
    own_ = 0;
    // Both from the anchor, in 64 bits: a pause may be longer than half the timestamp's range.
    const auto newest = static_cast<std::int32_t>(newest_timestamp_ - anchor_timestamp_);
    const std::int64_t next =
        std::max(media_ticks(at - anchor_, rate_), std::int64_t{newest} + timestamp_step_);
    newest_timestamp_ = anchor_timestamp_ + static_cast<std::uint32_t>(next);
    timestamp_offset_ = newest_timestamp_ - first.timestamp;
  }
  anchor_timestamp_ = newest_timestamp_;
  anchor_ = at;
}

void RtpSplicer::note_time(std::uint32_t timestamp, Instant now) noexcept {
  const auto second = static_cast<std::int32_t>(rate_);
  const auto step = static_cast<std::int32_t>(timestamp - newest_timestamp_);
  const bool jumped = step > second || step < -second;  // the source set its clock
  if (step > 0 && !jumped) timestamp_step_ = step;
  if (step > 0 || jumped) newest_timestamp_ = timestamp;
  const Nanoseconds elapsed = now - anchor_;
  const auto ahead = static_cast<std::int32_t>(timestamp - anchor_timestamp_);
  if (jumped || elapsed > kAnchorLasts || (!config_.even && ahead >= media_ticks(elapsed, rate_))) {
    anchor_timestamp_ = timestamp;
    anchor_ = now;
  }
}

}  // namespace castgate
