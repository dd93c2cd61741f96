// SPDX-License-Identifier: Apache-2.0
#include "tests/support/merge_lab.h"

#include <memory>
#include <string>

namespace castgate::test {

MergeLab::Packet* MergeLab::make(const Copy& copy) {
  if (free_ == nullptr) free_ = &packets_.emplace_back();
  Packet* packet = free_;
  free_ = packet->next_free;
  *packet = {copy, nullptr};
  return packet;
}

void MergeLab::deliver(const Copy& copy) {
  advance(copy.at);
  const Generation& from = generations_[copy.generation];
  const std::uint64_t raw = (copy.position + from.offset) & (~0ull >> (64 - config_.width));
  ++offered_;
  if (!copy.wild) {
    Oracle& oracle = oracles_[copy.generation];
    if (oracle.mask(copy.position) == 0) first_seen_[copy.position % kRemembered] = copy.at;
    oracle.deliver(copy);
  }
  Arrival arrival{make(copy), raw, from.epoch, 1400, copy.leg, copy.at};
  arrival.grade = copy.grade;
  if (window.choice() != nullptr) {
    window.offer_choice(arrival, *this);
  } else {
    window.offer(arrival, *this);
  }
  after_call();
}

void MergeLab::advance(Instant to) {
  while (armed_ < to) {
    now_ = std::max(now_, armed_);
    armed_ = kNever;
    window.tick(now_, *this);
    after_call();
  }
  ASSERT_LE(now_, to) << "the clock runs backwards";
  now_ = to;
}

void MergeLab::after_call() {
  flush();
  if (window.wants_arming()) armed_ = std::min(armed_, window.arm());
}

void MergeLab::configure(const MergeConfig& config, const Inherited& from) {
  MergeWindow between(config);
  MergeHeir(between, window, from).take_over(now_, *this);
  std::destroy_at(&window);
  std::construct_at(&window, config);
  config_ = config;
  Inherited same;
  same.numbers = true;
  MergeHeir(window, between, same).take_over(now_, *this);
  armed_ = kNever;
  after_call();
}

void MergeLab::finish() {
  const std::uint64_t most = 1000 + 2 * window.held();
  for (unsigned stops = 0; window.held() != 0 && armed_ != kNever; ++stops) {
    ASSERT_LT(stops, most) << "packets are kept for ever";
    advance(std::max(now_, armed_ + Nanoseconds{1}));
  }
  window.drain(now_, *this);
  flush();
  EXPECT_EQ(window.held(), 0);
  EXPECT_EQ(held(), 0);
}

void MergeLab::judge_exit(const Copy& copy) {
  if (copy.wild) {
    ++wild_out_;
    wild_positions_.push_back(copy.position);
    return;
  }
  auto& out = emitted_[copy.generation];
  if (copy.position >= out.size()) out.resize(copy.position + copy.position / 2 + 1024);
  if (out[copy.position]++ != 0) ++twice_;
  const bool backwards = copy.generation < last_generation_ ||
                         (copy.generation == last_generation_ && copy.position < last_position_);
  if (backwards && passed_ != 0) ++out_of_order_;
  last_position_ = copy.position;
  last_generation_ = copy.generation;
  if (passed_ != 0) longest_pause_ = std::max(longest_pause_, now_ - last_out_);
  longest_stay_ = std::max(longest_stay_, now_ - first_seen_[copy.position % kRemembered]);
  last_out_ = now_;
}

void MergeLab::pass_on(std::span<void* const> packets) noexcept {
  for (void* pointer : packets) {
    auto* packet = static_cast<Packet*>(pointer);
    judge_exit(packet->copy);
    if (keeps_exits_) exits_.push_back(packet->copy);
    ++passed_;
    packet->next_free = std::exchange(free_, packet);
  }
}

void MergeLab::free(std::span<void* const> packets) noexcept {
  for (void* pointer : packets) {
    auto* packet = static_cast<Packet*>(pointer);
    ++freed_;
    packet->next_free = std::exchange(free_, packet);
  }
}

void MergeLab::gap(std::uint32_t tag, std::uint64_t from, std::uint64_t to, GapCause cause,
                   Instant now) noexcept {
  EXPECT_EQ(tag, config_.tag);
  EXPECT_LE(from, to);
  EXPECT_EQ(now, now_);
  gaps.push_back({from, to, cause, now});
}

std::uint64_t MergeLab::displaced() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      wild_positions_, [&](std::uint64_t p) { return oracles_[0].mask(p) != 0; }));
}

void MergeLab::expect_union(unsigned generation) const {
  const Oracle& oracle = oracles_[generation];
  std::uint64_t missing = 0;
  std::uint64_t first_missing = 0;
  for (std::uint64_t p = oracle.first(); p <= oracle.last(); ++p) {
    const unsigned out = times_out(p, generation);
    EXPECT_TRUE(out == 0 || oracle.mask(p) != 0) << "invented " << p;
    if (oracle.mask(p) == 0 || out != 0) continue;
    if (missing++ == 0) first_missing = p;
  }
  EXPECT_EQ(missing, 0) << "first lost though delivered: " << first_missing;
  EXPECT_EQ(twice_, 0);
  EXPECT_EQ(allows_forgeries_ ? displaced() : wild_out_, 0);
  EXPECT_TRUE(config_.release == MergeRelease::Arrival || out_of_order_ == 0);
}

void MergeLab::expect_counters() const {
  const Oracle& oracle = oracles_[0];
  for (unsigned i = 0; i < config_.legs; ++i) {
    SCOPED_TRACE("leg " + std::to_string(i));
    const LegTrack& leg = window.leg(i);
    EXPECT_EQ(window.leg_packets(i), oracle.leg(i).packets);
    EXPECT_EQ(window.leg_bytes(i), oracle.leg(i).packets * 1400);
    EXPECT_EQ(leg.lost, oracle.lost(i));
    EXPECT_EQ(leg.reordered, oracle.leg(i).reordered);
    EXPECT_EQ(leg.duplicate_same_leg, oracle.leg(i).duplicates);
    EXPECT_EQ(leg.late + leg.late_after_release + leg.wild_sequence + leg.other_epoch, 0);
  }
  const auto holes = oracle.holes();
  std::uint64_t unrecovered = 0;
  std::uint64_t longest = 0;
  for (const auto& [from, to] : holes) {
    unrecovered += to - from + 1;
    longest = std::max(longest, to - from + 1);
  }
  const MergeTotals& totals = window.totals();
  EXPECT_EQ(totals.unrecovered, unrecovered);
  EXPECT_EQ(totals.gap_max, longest);
  EXPECT_EQ(totals.recovered, oracle.recovered(config_.legs));
  EXPECT_EQ(totals.restarts, 0);
  ASSERT_EQ(gaps.size(), holes.size());
  for (std::size_t i = 0; i < holes.size(); ++i) {
    EXPECT_EQ(gaps[i].to - gaps[i].from, holes[i].second - holes[i].first);
    const std::uint64_t range = ~0ull >> (64 - config_.width);
    EXPECT_EQ(gaps[i].from & range, (holes[i].first + generations_[0].offset) & range);
  }
  if (!oracle.empty()) {
    EXPECT_EQ(window.forwarded() + totals.unrecovered, oracle.last() - oracle.first() + 1);
  }
}

void MergeLab::expect_balance() const {
  EXPECT_EQ(offered_, passed_ + freed_ + window.held());
  EXPECT_EQ(window.forwarded(), passed_);
  EXPECT_EQ(held(), window.held());
  LegTrack sum;
  std::uint64_t packets = 0;
  for (unsigned i = 0; i < config_.legs; ++i) {
    const LegTrack& leg = window.leg(i);
    packets += window.leg_packets(i);
    sum.duplicate_same_leg += leg.duplicate_same_leg;
    sum.late += leg.late;
    sum.late_after_release += leg.late_after_release;
    sum.wild_sequence += leg.wild_sequence;
    sum.other_epoch += leg.other_epoch;
    sum.locked_out += leg.locked_out;
  }
  EXPECT_EQ(packets, offered_);
  EXPECT_EQ(dropped(MergeDrop::DuplicateSameLeg), sum.duplicate_same_leg);
  EXPECT_EQ(dropped(MergeDrop::Late), sum.late);
  EXPECT_EQ(dropped(MergeDrop::LateAfterRelease), sum.late_after_release);
  EXPECT_EQ(dropped(MergeDrop::WildSequence), sum.wild_sequence);
  EXPECT_EQ(dropped(MergeDrop::OtherEpoch), sum.other_epoch);
  EXPECT_EQ(dropped(MergeDrop::LockedOut), sum.locked_out);
  std::uint64_t dropped_sum = 0;
  for (unsigned r = 0; r < static_cast<unsigned>(MergeDrop::kCount); ++r) {
    dropped_sum += dropped(static_cast<MergeDrop>(r));
  }
  EXPECT_EQ(dropped_sum, freed_);
  const auto& by_cause = window.totals().gaps;
  std::array<std::uint64_t, static_cast<std::size_t>(GapCause::kCount)> told{};
  std::uint64_t positions = 0;
  for (const Gap& gap : gaps) {
    ++told[static_cast<std::size_t>(gap.cause)];
    positions += gap.to - gap.from + 1;
  }
  EXPECT_EQ(by_cause, told);
  EXPECT_EQ(window.totals().unrecovered, positions);
}

}  // namespace castgate::test
