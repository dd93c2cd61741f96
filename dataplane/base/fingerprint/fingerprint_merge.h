// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/base/failover/inherited.h"
#include "dataplane/base/failover/leg_track.h"
#include "dataplane/base/failover/merge_config.h"
#include "dataplane/base/failover/merge_outlet.h"
#include "dataplane/base/fingerprint/payload_list.h"

namespace castgate {

// Merges up to eight copies of a stream that carries no numbers: what is a copy of what is told by
// the payloads' fingerprints (Arrival::raw), and where bytes repeat by the order and the time in
// which each leg brings them. Release Arrival forwards a payload's first copy; Ordered keeps it
// until every leg that is waited for has it or has passed it, max_skew at most. Remembers payloads
// for 2 * max_skew. Knows no clock and no packet format; never allocates after construction.
class FingerprintMerge {
 public:
  explicit FingerprintMerge(const MergeConfig& config);  // window: payloads remembered

  // Takes the packet: forwards it, keeps it or discards it, now or in a later call.
  void offer(const Arrival& a, MergeOutlet& out) noexcept;

  // As MergeWindow's: after a call whose wants_arming() is true, tick() wants to be called.
  bool wants_arming() const noexcept { return wants_arming_; }
  Instant arm() noexcept {
    wants_arming_ = false;
    return armed_;
  }
  void tick(Instant now, MergeOutlet& out) noexcept;
  void drain(Instant now, MergeOutlet& out) noexcept;

  // Goes on with a stream where `old` stands, which ends empty; this one was just constructed.
  // Never allocates.
  void take_over(FingerprintMerge& old, const Inherited& from, Instant now,
                 MergeOutlet& out) noexcept;

  // Adds to the leg's sums a packet that was not offered.
  void count_refused(unsigned leg, std::uint32_t bytes) noexcept {
    ++legs_[leg].packets;
    legs_[leg].bytes += bytes;
  }

  const LegTrack& leg(unsigned index) const noexcept { return tracks_[index]; }
  std::uint64_t leg_packets(unsigned index) const noexcept { return legs_[index].packets; }
  std::uint64_t leg_bytes(unsigned index) const noexcept { return legs_[index].bytes; }
  const MergeTotals& totals() const noexcept { return totals_; }
  std::uint64_t forwarded() const noexcept { return forwarded_; }
  std::uint64_t held() const noexcept { return held_; }
  std::uint32_t epoch() const noexcept { return 0; }
  std::uint64_t window() const noexcept { return list_.capacity(); }
  std::uint64_t memory_bytes() const noexcept { return sizeof *this + list_.memory_bytes(); }

 private:
  static constexpr std::uint32_t kNone = PayloadList::kNone;
  // Packets in a row that no other leg has, over twice max_skew: the leg carries something else.
  static constexpr std::uint64_t kAlone = 256;

  // Where a leg is in the merged sequence.
  struct Leg {
    std::uint32_t cursor = kNone;  // the last that it brought in order; none where that is gone
    std::uint64_t rank = 0;        // of the cursor
    std::uint64_t certain = 0;     // highest rank that it and another leg brought
    std::uint64_t first = 0;       // rank of the first
    bool begun = false;
    bool met = false;            // `certain` holds
    bool synced = false;         // `lag` holds
    unsigned behind = 0;         // packets in a row that it was thought to have passed
    std::int64_t lag = 0;        // nanoseconds behind the first leg that was heard
    std::int64_t deviation = 0;  // mean, of the same
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::uint64_t alone = 0;  // packets since it last brought what another leg brought, too
    Instant met_at;
    Instant up_at;
    Instant heard_at;
    std::uint64_t heard_made = 0;  // payloads made until then
  };

  // Of what a leg brings of which it is not known yet how far it is behind: after all the others'.
  static constexpr std::int64_t kUnknown = INT64_MAX;

  // Is this what the leg must bring next, were nothing lost?
  bool is_next(const Leg& leg, std::uint32_t slot) const noexcept {
    return leg.begun && slot == list_.after(leg.cursor);
  }
  // Come lately, and with nothing yet by which to place it: bytes that repeat say nothing of it.
  bool is_blind(const Leg& leg, Instant now) const noexcept {
    return !leg.synced && now <= leg.up_at + 2 * config_.max_skew;
  }
  std::int64_t due_of(const Arrival& a) const noexcept {
    return legs_[a.leg].synced ? a.now.ns - legs_[a.leg].lag : kUnknown;
  }
  // Of a payload of which it was not known when it came.
  std::int64_t due_of(const Payload& payload) const noexcept {
    const Leg& first = legs_[payload.first];
    return payload.due == kUnknown && first.synced ? payload.at.ns - first.lag : payload.due;
  }
  static bool is_after(std::uint64_t rank, std::uint64_t other) noexcept {
    return static_cast<std::int64_t>(rank - other) > 0;
  }
  static std::uint8_t bit(unsigned leg) noexcept { return static_cast<std::uint8_t>(1u << leg); }

  // fingerprint_merge.cc: which payload a packet is a copy of
  void offer_known(const Arrival& a, std::uint32_t slot, MergeOutlet& out) noexcept;
  void offer_new(const Arrival& a, MergeOutlet& out) noexcept;
  std::uint32_t match(const Arrival& a) const noexcept;
  std::uint32_t search_repeated(const Arrival& a, std::uint32_t newest) const noexcept;
  bool nearer(const Arrival& a, std::uint32_t slot, std::int64_t& distance) const noexcept;
  std::int64_t tolerance(const Leg& leg) const noexcept;
  void mark_repeated(std::uint32_t slot) noexcept;
  void sample(const Arrival& a, std::uint32_t slot) noexcept;

  // fingerprint_order.cc: where a payload belongs
  bool behind_cursor(const Arrival& a, std::uint32_t slot, MergeOutlet& out) noexcept;
  std::uint32_t place_for(const Leg& leg, std::int64_t due) const noexcept;
  void learn_lag(const Arrival& a, const Payload& payload, MergeOutlet& out) noexcept;
  void set_lag(unsigned leg, std::int64_t lag, MergeOutlet& out) noexcept;
  bool may_move(unsigned leg, std::uint32_t slot) const noexcept;
  std::uint32_t put_before(unsigned leg, std::uint32_t slot, std::uint32_t target,
                           MergeOutlet& out) noexcept;
  std::uint32_t same_of_another(unsigned leg, std::uint32_t slot) const noexcept;

  // fingerprint_heir.cc: another configuration
  void take_legs(FingerprintMerge& old, const Inherited& from) noexcept;
  std::uint8_t legs_now(std::uint8_t legs, const Inherited& from) const noexcept;

  // fingerprint_release.cc: what leaves, what is forgotten, which legs are waited for
  bool late(const Leg& leg, std::int64_t due) const noexcept;
  void drop(std::uint32_t slot, MergeDrop reason, MergeOutlet& out) noexcept;
  void drop_late(unsigned leg, std::uint32_t slot, MergeOutlet& out) noexcept;
  void release(std::uint32_t slot, Instant now, MergeOutlet& out) noexcept;
  void release_through(std::uint32_t slot, Instant now, MergeOutlet& out) noexcept;
  void release_passed(Instant now, MergeOutlet& out) noexcept;
  bool passed_by_all(const Payload& payload) const noexcept;
  bool is_released(const Payload& payload) const noexcept { return payload.packet == nullptr; }
  void forget_oldest(Instant now, MergeOutlet& out) noexcept;
  void forget_expired(Instant now, MergeOutlet& out) noexcept;
  void make_room(Instant now, MergeOutlet& out) noexcept;
  Instant pending_deadline() noexcept;
  void heard(const Arrival& a, MergeOutlet& out) noexcept;
  void check_silence(Instant now, MergeOutlet& out) noexcept;
  void set_live(unsigned leg, bool live, Instant now, MergeOutlet& out) noexcept;
  void set_apart(unsigned leg, bool apart, Instant now, MergeOutlet& out) noexcept;
  void wait_for(Instant now) noexcept;
  void want(Instant at) noexcept {
    if (at >= armed_) return;
    armed_ = at;
    wants_arming_ = true;
  }

  MergeConfig config_;
  bool ordered_;
  bool wants_arming_ = false;
  std::uint8_t awaited_ = 0;      // legs, a bit each
  std::uint32_t front_ = kNone;   // Ordered: the last that left; none where that is forgotten
  std::uint64_t front_rank_ = 0;  // its rank
  std::int64_t front_due_ = 0;
  bool any_left_ = false;
  std::uint64_t pending_ = 1;  // Ordered: all made before this one have left
  std::int64_t interval_ = 0;  // nanoseconds between payloads, mean
  std::int64_t last_due_ = 0;
  std::uint64_t forwarded_ = 0;
  std::uint64_t held_ = 0;
  Instant armed_ = kNever;
  Instant settled_at_ = kNever;  // until then legs that were not seen yet are waited for
  Instant next_check_ = kNever;
  PayloadList list_;
  std::array<Leg, 8> legs_{};
  std::array<std::uint64_t, 16> repeated_{};  // fingerprints of bytes that repeat
  std::vector<LegTrack> tracks_;
  MergeTotals totals_;
};

}  // namespace castgate
