// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/offset/offset_learner.h"

#include <algorithm>
#include <utility>

namespace castgate {
namespace {

constexpr unsigned kMatches = 16;  // in succession, before what is learnt is verified
constexpr unsigned kVerified = 16;
constexpr unsigned kMostRepeated = 3;  // for each that is not
constexpr unsigned kRestart = 4;       // packets or copies in succession (as in the merge window)
constexpr std::int64_t kNear = 64;     // positions that a leg may jump without a doubt
constexpr std::uint64_t kMute = 16;    // packets of the leg without one of the reference
constexpr std::uint64_t kUnmet = 256;  // packets of both without one that was compared
constexpr std::int32_t kTimestampStep = 1 << 16;  // what the servers' clocks may be off by
constexpr std::int32_t kTimestampPace = 16;

}  // namespace

OffsetLearner::OffsetLearner(const OffsetConfig& config)
    : shift_(64 - config.width),
      remembered_(config.remembered),
      max_skew_(config.max_skew),
      trail_(config.remembered, 3 * config.max_skew) {}

bool OffsetLearner::is_sampled(std::uint64_t raw) const noexcept {
  return (in_range(raw + mapping_.offset) & (kSample - 1)) == 0;
}

OffsetLearner::Change OffsetLearner::take_change() noexcept {
  return std::exchange(change_, {});
}

void OffsetLearner::follow(std::uint64_t raw, std::uint32_t epoch, Instant now) noexcept {
  heard_at_ = now;
  ++count_;
  const std::uint32_t expected = mapped_  ? mapping_.leg_epoch
                                 : tries_ ? candidate_.mapping.leg_epoch
                                          : epoch;
  if (epoch != expected) {
    in_place_ = false;
    if (epoch != strange_epoch_) strange_ = 0;
    strange_epoch_ = epoch;
    if (++strange_ < kRestart) return;
    forget();
  }
  strange_ = 0;
  step(raw, now);
}

void OffsetLearner::step(std::uint64_t raw, Instant now) noexcept {
  const auto step = static_cast<std::int64_t>((raw - highest_) << shift_) >> shift_;
  in_place_ = step > -kNear && step <= kNear;
  if (in_place_ && step > 0) highest_ = raw;
  if (!in_place_ && raw == std::exchange(next_, in_range(raw + 1))) {
    in_place_ = true;
    highest_ = raw;
    if (mapped_) doubt();
  }
  if (state_ != State::Doubtful) return;
  ++doubted_;
  const bool mute = references_ == doubted_references_ && now - reference_heard_at_ > max_skew_;
  if (mute && doubted_ >= kMute) state_ = State::Locked;  // nobody is there to ask
  if (doubted_ > remembered_) forget();
}

void OffsetLearner::note(const PayloadNote& seen, PayloadTrail& reference) noexcept {
  PayloadNote& own = trail_.note(seen);
  if (mapped_) {
    const bool unmet = count_ - met_count_ > kUnmet && references_ - met_references_ > kUnmet;
    if (unmet && !searching_) searching_ = true;
    const PayloadNote* copy = reference.at(in_range(own.raw + mapping_.offset));
    if (copy != nullptr) check(own, *copy);
  }
  if (!searches()) return;
  if (tries_ && ++candidate_.unmet > remembered_) tries_ = false;
  if (tries_) {
    const PayloadNote* copy = reference.at(in_range(own.raw + candidate_.mapping.offset));
    if (copy != nullptr) test(own, *copy);
  }
  if (tries_ || !searches()) return;
  const PayloadNote* copy = reference.find(own.fingerprint);
  if (copy != nullptr) propose(own, *copy);
}

void OffsetLearner::count_reference(Instant now) noexcept {
  ++references_;
  reference_heard_at_ = now;
}

void OffsetLearner::note_reference(const PayloadNote& seen) noexcept {
  if (mapped_) {
    PayloadNote* own = trail_.at(in_range(seen.raw - mapping_.offset));
    if (own != nullptr) check(*own, seen);
  }
  if (!searches()) return;
  if (tries_) {
    PayloadNote* own = trail_.at(in_range(seen.raw - candidate_.mapping.offset));
    if (own != nullptr) test(*own, seen);
  }
  if (tries_ || !searches()) return;
  PayloadNote* own = trail_.find(seen.fingerprint);
  if (own != nullptr) propose(*own, seen);
}

// Came near enough to each other, and were not compared before.
bool OffsetLearner::are_copies(const PayloadNote& own,
                               const PayloadNote& reference) const noexcept {
  const Nanoseconds apart = own.at - reference.at;
  return !own.met && apart <= max_skew_ && -apart <= max_skew_;
}

// The servers' clocks run at their own pace: the mapping's timestamps follow.
bool OffsetLearner::agree(const PayloadNote& own, const PayloadNote& reference,
                          OffsetMapping& mapping) const noexcept {
  const auto off =
      static_cast<std::int32_t>(reference.timestamp - own.timestamp - mapping.timestamp);
  if (own.fingerprint != reference.fingerprint || off > kTimestampStep || off < -kTimestampStep) {
    return false;
  }
  mapping.timestamp += static_cast<std::uint32_t>(off / kTimestampPace);
  return true;
}

void OffsetLearner::check(PayloadNote& own, const PayloadNote& reference) noexcept {
  if (!are_copies(own, reference) || own.epoch != mapping_.leg_epoch ||
      reference.epoch != mapping_.epoch) {
    return;
  }
  own.met = true;
  met_count_ = count_;
  met_references_ = references_;
  if (agree(own, reference, mapping_)) {
    searching_ = false;
    tries_ = false;
    mismatches_ = 0;
    if (state_ != State::Doubtful || own.repeated || reference.repeated) return;
    if (++matches_ == kRestart) state_ = State::Locked;
    return;
  }
  if (state_ != State::Doubtful) doubt();
  matches_ = 0;
  if (++mismatches_ == kRestart) forget();
}

void OffsetLearner::test(PayloadNote& own, const PayloadNote& reference) noexcept {
  Candidate& candidate = candidate_;
  if (!are_copies(own, reference) || own.epoch != candidate.mapping.leg_epoch ||
      reference.epoch != candidate.mapping.epoch) {
    return;
  }
  own.met = true;
  candidate.unmet = 0;
  if (!agree(own, reference, candidate.mapping)) {
    tries_ = false;
    return;
  }
  if (own.repeated || reference.repeated) {
    ++candidate.repeated;
    return;
  }
  // By then each trail tells what comes again within the time in which copies may meet.
  const Instant now = std::max(own.at, reference.at);
  if (candidate.matched == kMatches && now - candidate.since < 2 * max_skew_) return;
  ++candidate.matched;
  if (candidate.matched == kMatches && state_ == State::Doubtful) lose();
  if (candidate.matched >= kMatches + kVerified &&
      candidate.repeated <= kMostRepeated * candidate.matched) {
    lock();
  }
}

void OffsetLearner::propose(PayloadNote& own, const PayloadNote& reference) noexcept {
  if (own.repeated || reference.repeated || !are_copies(own, reference)) return;
  tries_ = true;
  candidate_ = Candidate{.mapping = {.offset = in_range(reference.raw - own.raw),
                                     .timestamp = reference.timestamp - own.timestamp,
                                     .epoch = reference.epoch,
                                     .leg_epoch = own.epoch},
                         .since = std::max(own.at, reference.at)};
  test(own, reference);
}

void OffsetLearner::lock() noexcept {
  const OffsetMapping& learnt = candidate_.mapping;
  const bool same = mapped_ && mapping_.offset == learnt.offset && mapping_.epoch == learnt.epoch &&
                    mapping_.leg_epoch == learnt.leg_epoch;
  change_.lost = change_.lost || (mapped_ && !same);
  change_.locked = change_.locked || !same;
  mapping_ = learnt;
  mapped_ = true;
  tries_ = false;
  state_ = State::Locked;
  searching_ = false;
  strange_ = 0;
  mismatches_ = 0;
  met_count_ = count_;
  met_references_ = references_;
}

void OffsetLearner::doubt() noexcept {
  state_ = State::Doubtful;
  matches_ = 0;
  mismatches_ = 0;
  doubted_ = 0;
  doubted_references_ = references_;
}

void OffsetLearner::forget() noexcept {
  lose();
  tries_ = false;
}

void OffsetLearner::lose() noexcept {
  if (mapped_) change_ = {.lost = true, .locked = false};
  mapped_ = false;
  state_ = State::Learning;
  searching_ = false;
}

}  // namespace castgate
