// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/offset/stream_offsets.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace castgate {
namespace {

// A learner that is silent for so long does not cost the reference anything.
constexpr Nanoseconds kEager{10'000'000'000};

}  // namespace

StreamOffsets::StreamOffsets(const std::vector<LegOffset>& legs, const OffsetConfig& config)
    : config_(config), shift_(64 - config.width), legs_(legs), learners_(legs.size()) {
  for (std::size_t l = 0; l < legs.size(); ++l) {
    if (legs[l].automatic) learners_[l] = std::make_unique<OffsetLearner>(config);
  }
  if (std::ranges::any_of(legs, &LegOffset::automatic)) {
    reference_ = std::make_unique<PayloadTrail>(config.remembered, 3 * config.max_skew);
  }
}

void StreamOffsets::take_over(StreamOffsets& old, const Inherited& from) noexcept {
  if (!from.numbers || config_ != old.config_) return;
  for (unsigned leg = 0; leg < learners_.size(); ++leg) {
    if (!learners_[leg] || !from.has(leg) || !old.learners_[from.old(leg)]) continue;
    std::swap(learners_[leg], old.learners_[from.old(leg)]);
  }
  if (reference_ && old.reference_) std::swap(reference_, old.reference_);
  eager_until_ = old.eager_until_;
}

bool StreamOffsets::admit(unsigned leg, PacketNumbers& numbers, std::span<const std::byte> payload,
                          bool speaks, Instant now) noexcept {
  if (OffsetLearner* learner = learners_[leg].get()) {
    return admit_learner(*learner, numbers, payload, now);
  }
  numbers.raw = in_range(numbers.raw + static_cast<std::uint64_t>(legs_[leg].positions));
  if (reference_ && speaks) note_reference(numbers, payload, now);
  return true;
}

bool StreamOffsets::admit_learner(OffsetLearner& learner, PacketNumbers& numbers,
                                  std::span<const std::byte> payload, Instant now) noexcept {
  learner.follow(numbers.raw, numbers.epoch, now);
  if (learner.wants_all()) eager_until_ = now + kEager;
  if (!payload.empty() && learner.wants(numbers.raw)) {
    learner.note({.fingerprint = fingerprint_->of(payload.data(), payload.size()),
                  .raw = numbers.raw,
                  .at = now,
                  .epoch = numbers.epoch,
                  .timestamp = numbers.timestamp},
                 *reference_);
  }
  changed_ = 0xff;
  const OffsetMapping* mapping = learner.mapping();
  if (mapping == nullptr || !learner.trusts()) return false;
  numbers.raw = in_range(numbers.raw + mapping->offset);
  numbers.timestamp += mapping->timestamp;
  numbers.epoch = mapping->epoch;
  return true;
}

void StreamOffsets::note_reference(const PacketNumbers& numbers, std::span<const std::byte> payload,
                                   Instant now) noexcept {
  for (const auto& learner : learners_) {
    if (learner) learner->count_reference(now);
  }
  const bool sampled = (numbers.raw & (OffsetLearner::kSample - 1)) == 0;
  if (payload.empty() || (!sampled && now > eager_until_)) return;
  const PayloadNote& seen =
      reference_->note({.fingerprint = fingerprint_->of(payload.data(), payload.size()),
                        .raw = numbers.raw,
                        .at = now,
                        .epoch = numbers.epoch,
                        .timestamp = numbers.timestamp});
  for (const auto& learner : learners_) {
    if (learner) learner->note_reference(seen);
  }
  changed_ = 0xff;
}

bool StreamOffsets::take_change(Changed& into) noexcept {
  while (changed_ != 0) {
    const auto leg = static_cast<unsigned>(std::countr_zero(changed_));
    changed_ &= static_cast<std::uint8_t>(changed_ - 1);
    if (leg >= learners_.size() || !learners_[leg]) continue;
    into = {leg, learners_[leg]->take_change()};
    if (into.change.lost || into.change.locked) return true;
  }
  return false;
}

StreamOffsets::View StreamOffsets::view(unsigned leg) const noexcept {
  const OffsetLearner* learner = learners_[leg].get();
  if (learner == nullptr) return {.offset = legs_[leg].positions};
  const OffsetMapping* mapping = learner->mapping();
  if (mapping == nullptr) return {.offset = {}, .heard_at = learner->heard_at()};
  return {.offset = static_cast<std::int64_t>(mapping->offset << shift_) >> shift_,
          .heard_at = learner->heard_at()};
}

std::size_t StreamOffsets::memory_bytes() const noexcept {
  const auto count = static_cast<std::size_t>(
      std::ranges::count_if(legs_, [](const LegOffset& leg) { return leg.automatic; }));
  if (count == 0) return sizeof *this;
  return sizeof *this + count * sizeof(OffsetLearner) +
         (count + 1) * PayloadTrail::bytes(config_.remembered);
}

}  // namespace castgate
