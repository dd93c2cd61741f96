// SPDX-License-Identifier: Apache-2.0
// What a packet in sequence passes in a merge window, and nothing else: inlined into the loop that
// offers packets. The rest is called.
#pragma once

#include "dataplane/base/failover/merge_window.h"
#include "dataplane/base/failover/range_bits.h"

namespace castgate {

// Copies go where `a` leaves this function, so that it stays in registers here.
inline void MergeWindow::offer(const Arrival& a, MergeOutlet& out) noexcept {
  if (a.epoch != epoch_ || (attention_ & kRare) != 0) [[unlikely]]
    return offer_rare(Arrival{a}, out);
  const std::uint64_t position = extend(a.raw);
  count(a);
  const std::uint32_t step = static_cast<std::uint32_t>(position) - leg_hi_[a.leg];
  if (step == 1) [[likely]] {
    next_step(a.leg, position);
  } else if (!is_wanted(Arrival{a}, position, out)) {
    return;
  }
  place(a, position, out);
}

inline std::uint64_t MergeWindow::extend(std::uint64_t raw) const noexcept {
  if (shift_ == 48) [[likely]] {  // shifts by a variable are dear
    const auto near = static_cast<std::int16_t>(raw - next_out_);
    return next_out_ + static_cast<std::uint64_t>(std::int64_t{near});
  }
  const auto distance = static_cast<std::int64_t>((raw - next_out_) << shift_) >> shift_;
  return next_out_ + static_cast<std::uint64_t>(distance);
}

inline void MergeWindow::count(const Arrival& a) noexcept {
  if (++leg_packets_[a.leg] == 0) [[unlikely]]
    ++legs_[a.leg].packets_high;
  leg_bytes_[a.leg] += a.bytes;
  if (leg_bytes_[a.leg] < a.bytes) [[unlikely]]
    ++legs_[a.leg].bytes_high;
}

inline void MergeWindow::next_step(unsigned leg, std::uint64_t position) noexcept {
  const std::uint64_t recent = leg_recent_[leg];
  if ((recent >> 63) == 0) [[unlikely]]
    lose(leg, position - 64, position - 64);
  leg_recent_[leg] = recent << 1 | 1;
  leg_hi_[leg] = static_cast<std::uint32_t>(position);
}

// The leg's own record is up to date; now the stream's.
inline void MergeWindow::place(const Arrival& a, std::uint64_t position,
                               MergeOutlet& out) noexcept {
  if ((position & 63) == 0) [[unlikely]]
    milestone(Arrival{a}, position, out);
  const auto ahead = static_cast<std::int64_t>(position - next_out_);
  if (ahead == 0) {
    next_out_ = position + 1;
    recent_ = recent_ << 1 | 1;
    out.forward(a.packet);
    if ((attention_ & kGap) != 0) [[unlikely]]
      filled(Arrival{a}, position, out);
  } else if (ahead < 0) {
    if (ahead >= -64 && (recent_ >> (-ahead - 1) & 1) != 0) {
      out.discard(a.packet, MergeDrop::Redundant);
    } else {
      past(Arrival{a}, position, out);
    }
  } else if (arrival_) {
    jump(Arrival{a}, position, out);
  } else {
    hold(Arrival{a}, position, out);
  }
}

// The leg's next messages, and either the stream's next or gone already.
inline void MergeWindow::offer_range(const Arrival& a, MergeOutlet& out) noexcept {
  const std::uint64_t count = a.count;
  if (a.epoch != epoch_ || (attention_ & kRareRange) != 0 || count - 1 >= 63) [[unlikely]]
    return offer_rare(Arrival{a}, out);
  const std::uint64_t position = extend(a.raw + bias_);
  const std::uint64_t end = position + count;
  const std::uint64_t recent = leg_recent_[a.leg];
  const std::uint64_t falling = ~(~0ull >> count);  // out of the leg's record
  const std::uint64_t bits = (1ull << count) - 1;
  const std::uint64_t behind = next_out_ - end;  // positions
  const bool next = position == next_out_ && !arrival_;
  const bool gone = behind <= 64 - count && (recent_ >> behind & bits) == bits;
  const bool in_turn = static_cast<std::uint32_t>(position) - leg_hi_[a.leg] == 1;
  if (!in_turn || (recent & falling) != falling || !(next || gone)) [[unlikely]]
    return offer_rare(Arrival{a}, out);
  this->count(a);
  leg_recent_[a.leg] = recent << count | bits;
  leg_hi_[a.leg] += a.count;
  if (const std::uint64_t at = next_sample(position); at < end) [[unlikely]]
    milestone(Arrival{a}, at, out);
  if (!next) return out.discard(a.packet, MergeDrop::Redundant);
  recent_ = recent_ << count | bits;
  next_out_ = end;
  out.forward(a.packet);
}

// As offer(), where the leg's copy may have to wait for a better one.
inline void MergeWindow::offer_choice(const Arrival& a, MergeOutlet& out) noexcept {
  if (a.epoch != epoch_ || (attention_ & kRare) != 0) [[unlikely]]
    return offer_rare(Arrival{a}, out);
  const std::uint64_t position = extend(a.raw);
  count(a);
  if (static_cast<std::uint32_t>(position) - leg_hi_[a.leg] == 1) [[likely]] {
    next_step(a.leg, position);
  } else if (!is_wanted(Arrival{a}, position, out)) {
    return;
  }
  place_choice(a, position, out);
}

inline void MergeWindow::place_choice(const Arrival& a, std::uint64_t position,
                                      MergeOutlet& out) noexcept {
  if ((position & 63) == 0) [[unlikely]]
    milestone(Arrival{a}, position, out);
  const std::uint64_t behind = next_out_ - 1 - position;
  if (behind < 64 && (recent_ >> behind & 1) != 0) {
    out.discard(a.packet, MergeDrop::Redundant);
  } else if (position != next_out_ || !may_lead(a)) {
    if (a.grade != Grade::Good) ++choice_->faulty[a.leg];
    choose(Arrival{a}, position, out);
  } else if ((attention_ & kGap) != 0) {
    lead(Arrival{a}, position, out);
  } else {
    next_out_ = position + 1;
    recent_ = recent_ << 1 | 1;
    ++choice_->selected[a.leg];
    out.forward(a.packet);
  }
}

}  // namespace castgate
