// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/base/failover/early_packets.h"
#include "dataplane/base/failover/jump_ring.h"
#include "dataplane/base/failover/leg_track.h"
#include "dataplane/base/failover/merge_config.h"
#include "dataplane/base/failover/merge_outlet.h"
#include "dataplane/base/failover/merge_parts.h"
#include "dataplane/base/failover/slot_mark.h"
#include "dataplane/base/instant.h"

namespace castgate {

// Merges up to eight copies of one stream into one: each position leaves once, from whichever leg
// had it, and in order unless the release is Arrival. One slot per position serves all legs (the
// shared offset of document 003). Knows no clock and no packet format; never allocates after
// construction. The first 64 bytes hold all that a packet in sequence touches.
class alignas(64) MergeWindow : private MergeAttention {
 public:
  explicit MergeWindow(const MergeConfig& config);
  MergeWindow(const MergeWindow&) = delete;
  MergeWindow& operator=(const MergeWindow&) = delete;

  // Takes the packet: forwards it, keeps it or discards it, now or in a later call.
  void offer(const Arrival& a, MergeOutlet& out) noexcept;
  // The same where packets are ranges of positions.
  void offer_range(const Arrival& a, MergeOutlet& out) noexcept;
  // The same where copies of a position are not all worth the same.
  void offer_choice(const Arrival& a, MergeOutlet& out) noexcept;

  // An operator's; Forced and Manual need a choice.
  void command(unsigned leg, LegAction command, Instant now, MergeOutlet& out) noexcept;

  // After a call whose wants_arming() is true, tick() wants to be called at arm().
  bool wants_arming() const noexcept { return (attention_ & kArm) != 0; }
  Instant arm() noexcept;
  void tick(Instant now, MergeOutlet& out) noexcept;

  // Lets everything go that is kept, as if its deadlines had come, and settles the counters.
  void drain(Instant now, MergeOutlet& out) noexcept;

  // Adds what one leg's packets without a position count, so that the sums hold.
  void count_malformed(unsigned leg, std::uint32_t bytes) noexcept;

  const LegTrack& leg(unsigned index) const noexcept { return legs_[index]; }
  std::uint64_t leg_packets(unsigned index) const noexcept;
  std::uint64_t leg_bytes(unsigned index) const noexcept;
  unsigned leg_count() const noexcept { return static_cast<unsigned>(legs_.size()); }
  const MergeTotals& totals() const noexcept { return totals_; }
  // Positions released since start; with unrecovered, all from first to last.
  std::uint64_t forwarded() const noexcept;
  std::uint64_t held() const noexcept { return held_ + suspended_; }  // packets kept now
  std::uint32_t epoch() const noexcept { return epoch_; }
  bool started() const noexcept { return (attention_ & kStarting) == 0; }
  std::uint64_t window() const noexcept { return mask_ + 1; }
  std::uint64_t memory_bytes() const noexcept;
  const MergeChoice* choice() const noexcept { return choice_.get(); }

 private:
  friend class MergeHeir;  // merge_heir.h: goes on with a stream under another configuration
  // merge_path.h: the straight path, inlined where packets are offered
  std::uint64_t extend(std::uint64_t raw) const noexcept;
  void count(const Arrival& a) noexcept;
  void next_step(unsigned leg, std::uint64_t position) noexcept;
  void place(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  // Positions of 64 bits are moved so that ours do not wrap.
  std::uint64_t position_of(const Arrival& a) const noexcept { return extend(a.raw + bias_); }

  // merge_window.cc: positions
  void milestone(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void filled(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void past(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void jump(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void hold(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void store(void* packet, std::uint64_t position, MergeOutlet& out) noexcept;
  void release_run(Instant now, MergeOutlet& out) noexcept;
  void make_room(std::uint64_t position, Instant now, MergeOutlet& out) noexcept;
  void open_gap(std::uint64_t position, Instant now) noexcept;
  void find_first_held() noexcept;
  void give_up(std::uint64_t end, GapCause cause) noexcept;
  void report_gap(Instant now, MergeOutlet& out) noexcept;
  void close_passed(Instant now, MergeOutlet& out) noexcept;
  void close_oldest(GapCause cause, Instant now, MergeOutlet& out) noexcept;
  void gap_closed_or_moved(Instant now, MergeOutlet& out) noexcept;

  // merge_arrival.cc: the bitmap of release: arrival
  void store_word(std::uint64_t end) noexcept;
  void past_arrival(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  bool word_bit(std::uint64_t position) const noexcept;
  void set_word_bit(std::uint64_t position) noexcept;
  void give_up_missing(std::uint64_t from, std::uint64_t to, GapCause cause, Instant now,
                       MergeOutlet& out) noexcept;
  void close_arrival_gaps(Instant due_by, std::uint64_t below, Instant now,
                          MergeOutlet& out) noexcept;

  // merge_range.cc: packets of several positions
  void note_range(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void forward_range(unsigned leg, std::uint64_t position, unsigned count) noexcept;
  void place_range(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void leave_hole(std::uint64_t position, std::uint64_t end, Instant now,
                  MergeOutlet& out) noexcept;
  PositionRun fill_holes(const Arrival& a, std::uint64_t position, std::uint64_t end,
                         MergeOutlet& out) noexcept;
  void send_copy(const Arrival& a, std::uint64_t position, const PositionRun& run,
                 MergeOutlet& out) noexcept;
  void place_range_arrival(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void past_range(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void place_heartbeat(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  bool repeats_heartbeat(const Arrival& a, std::uint64_t position) noexcept;
  void hold_heartbeat(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void hold_range(const Arrival& a, std::uint64_t position, std::uint64_t begin, std::uint64_t end,
                  MergeOutlet& out) noexcept;
  void keep_range_for_start(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void make_room_for_range(std::uint64_t begin, std::uint64_t end, Instant now,
                           MergeOutlet& out) noexcept;
  bool find_place(std::uint64_t& begin, std::uint64_t& end, MergeOutlet& out) noexcept;
  void store_range(void* packet, std::uint64_t begin, std::uint64_t end, MergeOutlet& out) noexcept;
  unsigned unstore(std::uint64_t begin) noexcept;
  void* piece(const Arrival& a, std::uint64_t position, std::uint64_t begin, std::uint64_t end,
              MergeOutlet& out) noexcept;
  void release_ranges(Instant now, MergeOutlet& out) noexcept;
  void advance(std::uint64_t end) noexcept;
  void advance_arrival(std::uint64_t end, bool sent) noexcept;
  void note_fills(unsigned leg, std::uint64_t from, std::uint64_t to) noexcept;
  // merge_choice.cc: copies that are not all worth the same
  bool may_lead(const Arrival& a) const noexcept;
  void keep_as(const Arrival& a, std::uint64_t position) noexcept;
  unsigned worth(unsigned leg, Grade grade) const noexcept;
  unsigned kept_worth(std::uint64_t position) const noexcept;
  void place_choice(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void choose(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void contend(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void lead(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void pass_by(std::uint64_t position, Instant now) noexcept;
  bool will_not_bring(unsigned leg) const noexcept;
  bool better_may_come() const noexcept;
  bool lost_by_all() const noexcept;
  void settle_front(Instant now, MergeOutlet& out) noexcept;
  void settle_one(GapCause cause, Instant now, MergeOutlet& out) noexcept;
  void settled(Instant now, MergeOutlet& out) noexcept;
  void note_selected(std::uint64_t position) noexcept;
  void judge_legs(Instant now, MergeOutlet& out) noexcept;
  void judge_second(Instant now) noexcept;
  void prefer_anew(Instant now, MergeOutlet& out) noexcept;
  void free_legs() noexcept;
  void distrust(unsigned leg) noexcept;
  void begin_choice(Instant now, MergeOutlet& out) noexcept;
  void refuse(const Arrival& a, MergeOutlet& out) noexcept;
  // merge_playout.cc
  void place_playout(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  Nanoseconds playout_delay() const noexcept;
  void schedule(const Arrival& a, std::uint64_t position) noexcept;
  void play_at_once(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void play_out(Instant due_by, Instant now, MergeOutlet& out) noexcept;

  // merge_start.cc, merge_epoch.cc: start, candidates, epochs
  void offer_rare(const Arrival& a, MergeOutlet& out) noexcept;
  void offer_starting(const Arrival& a, MergeOutlet& out) noexcept;
  void keep_for_start(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void begin(Instant now, MergeOutlet& out) noexcept;
  std::int64_t from_candidate(const Arrival& a) const noexcept;  // positions
  bool follows_candidate(const Arrival& a) const noexcept;
  void suspect(const Arrival& a, unsigned needed, MergeOutlet& out) noexcept;
  void confirm_epoch(const Arrival& a, MergeOutlet& out) noexcept;
  void discard_candidate(const Arrival& a, MergeOutlet& out) noexcept;
  void drop_candidates(unsigned leg, MergeOutlet& out) noexcept;
  void accept_candidates(unsigned leg, Instant now, MergeOutlet& out) noexcept;
  bool may_have_lost(std::uint64_t position, Instant now) const noexcept;
  bool may_switch(unsigned leg, Instant now, MergeOutlet& out) noexcept;
  std::uint64_t progress() const noexcept;
  void switch_epoch(std::uint32_t epoch, Instant now, MergeOutlet& out) noexcept;
  void place_any(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void resume(const Arrival& a, MergeOutlet& out) noexcept;
  void reset_positions() noexcept;

  // merge_early.cc, merge_early_due.cc: what jumps ahead of its leg's turn
  bool guards(unsigned leg, std::uint64_t position) const noexcept;
  bool is_harmless(const Arrival& a, std::uint64_t position, std::int64_t step) const noexcept;
  bool in_turn(unsigned leg, std::uint64_t position) const noexcept;
  bool judge_ahead(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  bool contradicts(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void keep_early(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  Nanoseconds patience(unsigned leg, bool fresh) const noexcept;
  EarlyPacket release_early(unsigned leg, unsigned at, MergeOutlet& out) noexcept;
  void discard_early(unsigned leg, unsigned at, Instant now, MergeOutlet& out) noexcept;
  void believe(unsigned leg, std::uint64_t through, Instant now, MergeOutlet& out) noexcept;
  void take_turn(unsigned leg, unsigned at, Instant now, MergeOutlet& out) noexcept;
  bool another_may_bring(unsigned leg, std::uint64_t end) const noexcept;
  void place_late(const EarlyPacket& packet, Instant now, MergeOutlet& out) noexcept;
  void place_aside(unsigned at, Instant now, MergeOutlet& out) noexcept;
  bool rescue(std::uint64_t end, Instant now, MergeOutlet& out) noexcept;
  bool belied(unsigned leg, const EarlyPacket& packet, Instant now) const noexcept;
  void tick_early(Instant now, MergeOutlet& out) noexcept;
  void tick_early_of(unsigned leg, Instant now, MergeOutlet& out) noexcept;
  void settle_early(unsigned leg, Instant now, MergeOutlet& out) noexcept;
  void settle_all_early(Instant now, MergeOutlet& out) noexcept;

  // merge_liveness.cc
  std::int64_t passed_by_all() const noexcept;
  void check_silence(Instant now, MergeOutlet& out) noexcept;
  bool check_leg(unsigned leg, Instant now, MergeOutlet& out) noexcept;
  void set_live(unsigned leg, bool live, Instant now, MergeOutlet& out) noexcept;
  void leave(unsigned leg) noexcept;

  // merge_legs.cc
  bool is_wanted(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  bool repeats_itself(const Arrival& a, std::int64_t step) const noexcept;
  void note_any(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void forward_step(unsigned leg, std::uint64_t position, std::uint64_t step) noexcept;
  void lose_absent(unsigned leg, std::uint64_t highest, std::uint64_t absent) noexcept;
  void lose(unsigned leg, std::uint64_t from, std::uint64_t to) noexcept;
  void count_general(const Arrival& a) noexcept;
  void note_fill(unsigned leg, std::uint64_t position) noexcept;
  bool is_lone(unsigned leg) const noexcept;
  void first_seen(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void note_position(const Arrival& a, std::uint64_t position, MergeOutlet& out) noexcept;
  void revive(const Arrival& a, MergeOutlet& out) noexcept;
  bool near(std::uint64_t position) const noexcept;
  bool missing(std::uint64_t position) const noexcept;
  void settle_leg(unsigned leg) noexcept;
  void mark_legs() noexcept;
  std::uint64_t told_from() const noexcept;
  std::uint64_t given_up_between(std::uint64_t from, std::uint64_t end) const noexcept;
  std::uint64_t highest_of(unsigned leg) const noexcept;
  enum class Fate : std::uint8_t { Released, GivenUp, Open };
  Fate fate(std::uint64_t position) const noexcept;
  std::uint64_t& recent_of(unsigned leg) noexcept;
  std::uint64_t recent_of(unsigned leg) const noexcept;
  std::uint32_t& hi_of(unsigned leg) noexcept;
  std::uint32_t hi_of(unsigned leg) const noexcept;

  void*& slot(std::uint64_t position) noexcept { return slots_[position & mask_]; }
  void* slot(std::uint64_t position) const noexcept { return slots_[position & mask_]; }
  bool is_kept(std::uint64_t position) const noexcept;
  void want(Instant at) noexcept;

  // The hot line.
  std::uint64_t next_out_ = 0;  // next position to leave; in Arrival, one past the highest that did
  std::uint64_t recent_ = 0;    // bit i: position next_out - 1 - i has left
  std::array<std::uint64_t, 2> leg_recent_{~0ull, ~0ull};  // bit i: the leg delivered hi - i
  std::array<std::uint32_t, 2> leg_hi_{};                  // low bits of its highest position
  std::array<std::uint32_t, 2> leg_packets_{};
  std::array<std::uint32_t, 2> leg_bytes_{};
  std::uint32_t epoch_ = 0;
  std::uint8_t attention_ = kStarting;
  std::uint8_t shift_;  // 64 less the width of a position
  bool arrival_;
  std::uint8_t free_legs_ = 0xff;  // bit each: a good copy of this leg's leaves at once

  // Touched only off the straight path.
  std::uint64_t mask_;
  std::uint64_t head_ = 0;        // highest position placed
  std::uint64_t first_held_ = 0;  // lowest position kept, while kGap
  std::uint64_t held_ = 0;        // packets in slots
  std::uint64_t suspended_ = 0;   // candidates and early packets kept
  std::uint64_t first_ = 0;       // first position of this epoch
  std::uint64_t holes_ = 0;       // Arrival: positions jumped over, in this epoch
  std::uint64_t fills_ = 0;       // Arrival: holes, or positions before the first, that came
  std::uint64_t unrecovered_before_ = 0;  // in earlier epochs
  std::uint64_t origin_ = 1ull << 32;     // positions of this epoch begin here
  std::uint64_t bias_ = 0;                // kWide: what the wire's positions are moved by
  std::uint64_t closed_below_ = 0;        // Arrival: every position under it is decided
  std::uint64_t words_end_ = 0;           // Arrival: positions under it are in the bitmap
  std::uint64_t run_from_ = 0;            // given up and not yet reported: [run_from, run_to]
  std::uint64_t run_to_ = 0;
  GapCause run_cause_ = GapCause::BothLost;
  bool run_open_ = false;
  Instant armed_ = kNever;
  Instant start_deadline_ = kNever;
  Instant next_check_ = kNever;
  bool returning_ = false;  // the first packets after the stream was idle
  bool settling_ = false;   // just begun: legs that were not seen yet may still come
  Nanoseconds waited_{};    // how long the candidate that is being placed was kept
  MergeConfig config_;
  MergeTotals totals_;
  std::unique_ptr<void*[]> slots_;          // Ordered, Playout
  std::unique_ptr<MergeRanges> ranges_;     // null where each packet is one position
  std::unique_ptr<MergeChoice> choice_;     // null where all copies are alike
  std::unique_ptr<std::uint64_t[]> words_;  // Arrival: bit per position
  std::unique_ptr<Instant[]> due_;          // Playout: when each position leaves
  std::unique_ptr<MergeEarly> early_;       // Ordered
  std::uint64_t sample_mask_;
  std::unique_ptr<PositionSample[]> samples_;  // who brought each 64th position, and when
  JumpRing jumps_;
  std::vector<LegTrack> legs_;
  std::array<ExtraLeg, 6> extra_{};
};

}  // namespace castgate

#include "dataplane/base/failover/merge_look.h"  // IWYU pragma: export
#include "dataplane/base/failover/merge_path.h"  // IWYU pragma: export
