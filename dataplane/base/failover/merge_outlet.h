// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/base/instant.h"

namespace castgate {

// Why the merge let a packet go. The stage translates to the drop reasons of the contract.
enum class MergeDrop : std::uint8_t {
  Redundant,
  DuplicateSameLeg,
  Late,
  LateAfterRelease,
  WildSequence,
  OtherEpoch,
  LockedOut,
  kCount
};

enum class GapCause : std::uint8_t { BothLost, Deadline, Budget, Restart, kCount };

// Where a merge window puts packets: gathered, so that the way on costs one virtual call per 32.
// Packets are opaque; whoever made them knows what they are.
class MergeOutlet {
 public:
  static constexpr unsigned kGather = 32;

  MergeOutlet() = default;
  MergeOutlet(const MergeOutlet&) = delete;
  MergeOutlet& operator=(const MergeOutlet&) = delete;
  virtual ~MergeOutlet() = default;

  void forward(void* packet) noexcept {
    forwarded_[forward_count_++] = packet;
    if (forward_count_ == kGather) [[unlikely]]
      flush_forward();
  }

  void discard(void* packet, MergeDrop reason) noexcept {
    discarded_[discard_count_++] = packet;
    drops_[static_cast<std::size_t>(reason)]++;
    if (discard_count_ == discard_at_) [[unlikely]]
      flush_discard(reason);
  }

  // From here on each discard goes to free_one() with its reason, or, off, in groups to free().
  void discard_singly(bool on) noexcept {
    flush();
    discard_at_ = on ? 1 : kGather;
  }

  void flush() noexcept {
    if (forward_count_ != 0) flush_forward();
    if (discard_count_ != 0) flush_discard(MergeDrop::kCount);
  }

  std::uint64_t dropped(MergeDrop reason) const noexcept {
    return drops_[static_cast<std::size_t>(reason)];
  }

  // Packets that all windows of this outlet keep; kept by the windows, limited by may_hold().
  std::uint64_t held() const noexcept { return held_; }
  void held_changed(int by) noexcept { held_ += static_cast<std::uint64_t>(std::int64_t{by}); }
  bool may_hold() const noexcept { return held_ < held_limit_; }
  void limit_held(std::uint64_t packets) noexcept { held_limit_ = packets; }

  // Positions [from, to] of the stream with this tag are given up.
  virtual void gap(std::uint32_t tag, std::uint64_t from, std::uint64_t to, GapCause cause,
                   Instant now) noexcept = 0;
  virtual void epoch_changed(std::uint32_t tag, std::uint32_t epoch, Instant now) noexcept = 0;
  enum class LegChange : std::uint8_t { Up, Silent, Diverged, Preferred };
  virtual void leg_changed(std::uint32_t tag, unsigned leg, LegChange change,
                           Instant now) noexcept = 0;
  // A number that copies with the same bytes share, and hardly any others.
  virtual std::uint64_t content(std::uint32_t tag, void* packet) noexcept = 0;
  // Leaves of a packet of several positions only `count` from its `skip`th on.
  virtual void cut(std::uint32_t tag, void* packet, unsigned skip, unsigned count) noexcept = 0;
  // Another packet with the same bytes; null where there is no memory for it.
  virtual void* copy(std::uint32_t tag, void* packet) noexcept = 0;

 protected:
  virtual void pass_on(std::span<void* const> packets) noexcept = 0;
  virtual void free(std::span<void* const> packets) noexcept = 0;
  virtual void free_one(void* packet, MergeDrop /*reason*/) noexcept { free({&packet, 1}); }

 private:
  [[gnu::noinline]] void flush_forward() noexcept {
    const unsigned count = forward_count_;
    forward_count_ = 0;
    pass_on({forwarded_.data(), count});
  }
  [[gnu::noinline]] void flush_discard(MergeDrop last) noexcept {
    const unsigned count = discard_count_;
    discard_count_ = 0;
    if (discard_at_ == 1) return free_one(discarded_[0], last);
    free({discarded_.data(), count});
  }

  unsigned forward_count_ = 0;
  unsigned discard_count_ = 0;
  unsigned discard_at_ = kGather;
  std::array<void*, kGather> forwarded_{};
  std::array<void*, kGather> discarded_{};
  std::uint64_t held_ = 0;
  std::uint64_t held_limit_ = UINT64_MAX;
  std::array<std::uint64_t, static_cast<std::size_t>(MergeDrop::kCount)> drops_{};
};

}  // namespace castgate
