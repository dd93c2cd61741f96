// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/failover/merge_heir.h"

#include <algorithm>
#include <utility>

namespace castgate {
namespace {

using Attention = MergeAttention;

std::uint8_t without(std::uint8_t bits, std::uint8_t cleared) noexcept {
  return static_cast<std::uint8_t>(bits & ~cleared);
}

}  // namespace

void MergeHeir::take_over(Instant now, MergeOutlet& out) noexcept {
  settle_early(now, out);
  drop_lost_legs(out);
  const bool alike = from_.numbers && is_alike();
  if (alike && !old_.started() && old_.held_ != 0) old_.begin(now, out);
  const bool goes_on = from_.numbers && old_.started();
  if (!alike || !goes_on) old_.drain(now, out);
  shrink(now, out);
  old_.report_gap(now, out);
  out.flush();
  own_.totals_ = old_.totals_;
  take_legs();
  if (!goes_on) {
    own_.totals_.forwarded_before = old_.forwarded();
    return own_.reset_positions();
  }
  take_place();
  if (alike) {
    take_packets();
  } else {
    begin_behind();
  }
  own_.free_legs();
  own_.armed_ = kNever;
  own_.want(now);
}

// Does the new window keep the same kind of things?
bool MergeHeir::is_alike() const noexcept {
  return own_.shift_ == old_.shift_ && own_.arrival_ == old_.arrival_ &&
         (own_.attention_ & Attention::kWide) == (old_.attention_ & Attention::kWide) &&
         !own_.due_ == !old_.due_ && !own_.ranges_ == !old_.ranges_ &&
         !own_.choice_ == !old_.choice_;
}

// What came ahead of the turn of a leg that goes, or further than the new window reaches, is the
// old window's; and so is what waits for other legs.
void MergeHeir::settle_early(Instant now, MergeOutlet& out) noexcept {
  if (!old_.early_ || !old_.started()) return;
  const unsigned legs = own_.leg_count();
  for (unsigned leg = 0; leg < old_.leg_count(); ++leg) {
    const bool goes = from_.now(leg, legs) == legs;
    if (goes || own_.window() < old_.window()) old_.settle_early(leg, now, out);
  }
  while (old_.early_->aside.size() != 0) old_.place_aside(0, now, out);
}

void MergeHeir::take_early() noexcept {
  if (!own_.early_ || !old_.early_) return;
  for (unsigned leg = 0; leg < own_.leg_count(); ++leg) {
    if (!from_.has(leg)) continue;
    MergeEarly::Leg& own = own_.early_->of_leg[leg];
    own = std::exchange(old_.early_->of_leg[from_.old(leg)], {});
    for (unsigned i = 0; i < own.kept.size(); ++i) own.kept[i].leg = static_cast<std::uint8_t>(leg);
  }
  own_.early_->count = std::exchange(old_.early_->count, 0);
  if (own_.early_->count != 0) own_.attention_ |= Attention::kEarly;
}

void MergeHeir::drop_lost_legs(MergeOutlet& out) noexcept {
  const unsigned legs = own_.leg_count();
  for (unsigned leg = 0; leg < old_.leg_count(); ++leg) {
    if (from_.now(leg, legs) == legs) old_.drop_candidates(leg, out);
  }
}

// Lets go what would lie further from the next position than the new window reaches.
void MergeHeir::shrink(Instant now, MergeOutlet& out) noexcept {
  if (!old_.started()) return;
  const std::uint64_t reach = own_.window() / 2;
  if (old_.arrival_) {
    if (old_.jumps_.empty()) return;
    return old_.close_arrival_gaps(now - Nanoseconds{1}, old_.next_out_ - reach, now, out);
  }
  const auto fits = [&] { return old_.held_ == 0 || old_.head_ - old_.next_out_ < reach; };
  if (old_.due_) {
    if (!fits()) old_.play_out(kNever, now, out);
    return;
  }
  while ((old_.attention_ & Attention::kGap) != 0 && !fits()) {
    old_.close_oldest(GapCause::Budget, now, out);
  }
}

void MergeHeir::take_legs() noexcept {
  for (unsigned leg = 0; leg < own_.leg_count(); ++leg) {
    LegTrack& track = own_.legs_[leg];
    track.unrecovered_mark = own_.totals_.unrecovered;
    if (!from_.has(leg)) continue;
    const unsigned was = from_.old(leg);
    track = old_.legs_[was];
    old_.legs_[was].candidate.count = 0;
    own_.recent_of(leg) = old_.recent_of(was);
    own_.hi_of(leg) = old_.hi_of(was);
    ExtraLeg hot = was < 2 ? ExtraLeg{0, 0, old_.leg_packets_[was], old_.leg_bytes_[was]}
                           : old_.extra_[was - 2];
    if (leg < 2) {
      own_.leg_packets_[leg] = hot.packets;
      own_.leg_bytes_[leg] = hot.bytes;
    } else {
      own_.extra_[leg - 2].packets = hot.packets;
      own_.extra_[leg - 2].bytes = hot.bytes;
    }
    if (track.unwanted) own_.attention_ |= Attention::kLockout;
  }
  if (own_.choice_ && old_.choice_) take_choice();
}

void MergeHeir::take_choice() noexcept {
  MergeChoice& own = *own_.choice_;
  const MergeChoice& old = *old_.choice_;
  own.switching.inherit(old.switching, from_);
  own.degraded = old.degraded;
  own.replaced = old.replaced;
  own.judged_at = old.judged_at;
  for (unsigned leg = 0; leg < own_.leg_count(); ++leg) {
    if (!from_.has(leg)) continue;
    own.selected[leg] = old.selected[from_.old(leg)];
    own.seconds[leg] = old.seconds[from_.old(leg)];
    own.faulty[leg] = old.faulty[from_.old(leg)];
  }
}

void MergeHeir::take_place() noexcept {
  constexpr std::uint8_t kState = Attention::kGap | Attention::kIdle;
  own_.attention_ = without(own_.attention_, Attention::kStarting);
  own_.attention_ |= static_cast<std::uint8_t>(old_.attention_ & kState);
  own_.epoch_ = old_.epoch_;
  own_.next_out_ = old_.next_out_;
  own_.recent_ = old_.recent_;
  own_.head_ = old_.head_;
  own_.first_ = old_.first_;
  own_.first_held_ = old_.first_held_;
  own_.origin_ = old_.origin_;
  own_.bias_ = old_.bias_;
  own_.unrecovered_before_ = old_.unrecovered_before_;
  own_.next_check_ = old_.next_check_;
  own_.returning_ = old_.returning_;
  own_.settling_ = old_.settling_;
}

// Nothing is kept: the stream goes on with the next position, and what left is known to have left.
void MergeHeir::begin_behind() noexcept {
  own_.totals_.forwarded_before = old_.forwarded();
  own_.unrecovered_before_ = own_.totals_.unrecovered;
  own_.first_ = own_.next_out_;
  own_.head_ = own_.next_out_ - 1;
  own_.closed_below_ = own_.next_out_;
  own_.words_end_ = own_.next_out_ & ~63ull;
  own_.attention_ = without(own_.attention_, Attention::kGap);
}

void MergeHeir::take_packets() noexcept {
  own_.held_ = std::exchange(old_.held_, 0);
  own_.suspended_ = std::exchange(old_.suspended_, 0);
  own_.jumps_.take_over(old_.jumps_);
  take_early();
  if (own_.arrival_) return take_words();
  const std::uint64_t reach = std::min(own_.window(), old_.window()) / 2;
  const std::uint64_t end = std::max(own_.head_ + 1, own_.next_out_);
  for (std::uint64_t p = own_.next_out_ - reach; p != end; ++p) take_slot(p);
  if (!own_.ranges_) return;
  own_.ranges_->heartbeat_at = old_.ranges_->heartbeat_at;
  own_.ranges_->heartbeats = old_.ranges_->heartbeats;
  own_.ranges_->end_forwarded = old_.ranges_->end_forwarded;
}

void MergeHeir::take_words() noexcept {
  own_.holes_ = old_.holes_;
  own_.fills_ = old_.fills_;
  own_.closed_below_ = old_.closed_below_;
  own_.words_end_ = old_.words_end_;
  const std::uint64_t common = std::min(own_.window(), old_.window());
  for (std::uint64_t back = 64; back <= common; back += 64) {
    const std::uint64_t at = own_.words_end_ - back;
    own_.words_[(at & own_.mask_) >> 6] = old_.words_[(at & old_.mask_) >> 6];
  }
}

void MergeHeir::take_slot(std::uint64_t position) noexcept {
  const std::uint64_t at = position & own_.mask_;
  const std::uint64_t was = position & old_.mask_;
  own_.slots_[at] = std::exchange(old_.slots_[was], nullptr);
  if (own_.due_) own_.due_[at] = old_.due_[was];
  if (own_.ranges_) own_.ranges_->counts[at] = old_.ranges_->counts[was];
  if (!own_.choice_) return;
  constexpr unsigned kLeg = 0x0f;
  const unsigned kept = old_.choice_->kept[was];
  const unsigned leg = from_.now(kept & kLeg, own_.leg_count());
  own_.choice_->kept[at] =
      static_cast<std::uint8_t>((kept & ~kLeg) | (leg == own_.leg_count() ? 0 : leg));
  own_.choice_->since[at] = old_.choice_->since[was];
}

}  // namespace castgate
