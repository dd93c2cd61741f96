// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "dataplane/base/offset/payload_trail.h"

namespace castgate {

struct OffsetConfig {
  unsigned width = 16;               // bits of a position on the wire
  Nanoseconds max_skew{10'000'000};  // copies that are further apart are none
  std::size_t remembered = 256;      // payloads of each numbering: a power of two
  bool operator==(const OffsetConfig&) const = default;
};

// From a leg's numbers to those of the reference.
struct OffsetMapping {
  std::uint64_t offset = 0;     // added to positions, modulo their range
  std::uint32_t timestamp = 0;  // added to timestamps
  std::uint32_t epoch = 0;      // the reference's
  std::uint32_t leg_epoch = 0;  // holds for packets of this one
  bool operator==(const OffsetMapping&) const = default;
};

// Learns how one leg is numbered against the reference, from payloads that both bring within
// max_skew of each other, and watches that it stays true. Believes an offset after 16 positions in
// succession that match, each by a payload that no other position had, and 16 more after 2
// max_skew; a copy that differs begins anew. At most four look-ups a packet; never allocates.
class OffsetLearner {
 public:
  explicit OffsetLearner(const OffsetConfig& config);

  // A packet of the leg: does it carry on as the mapping says?
  void follow(std::uint64_t raw, std::uint32_t epoch, Instant now) noexcept;
  // Is this packet's payload to be noted, and so to be fingerprinted?
  bool wants(std::uint64_t raw) const noexcept { return wants_all() || is_sampled(raw); }
  // Are those of the reference, all of them?
  bool wants_all() const noexcept { return state_ != State::Locked || searching_; }
  void note(const PayloadNote& seen, PayloadTrail& reference) noexcept;
  void note_reference(const PayloadNote& seen) noexcept;  // it has been noted by its own trail
  void count_reference(Instant now) noexcept;             // noted or not

  // May the packet that was followed, and noted, go on with the mapping?
  bool trusts() const noexcept { return state_ == State::Locked && in_place_; }
  // Null while none is known.
  const OffsetMapping* mapping() const noexcept { return mapped_ ? &mapping_ : nullptr; }
  Instant heard_at() const noexcept { return heard_at_; }

  // What happened since the last call.
  struct Change {
    bool lost = false;
    bool locked = false;
  };
  Change take_change() noexcept;

  static constexpr std::uint64_t kSample = 16;  // of so many positions one goes on being compared

 private:
  enum class State : std::uint8_t { Learning, Locked, Doubtful };
  struct Candidate {
    OffsetMapping mapping;
    Instant since;
    unsigned matched = 0;
    unsigned repeated = 0;
    std::size_t unmet = 0;  // packets of the leg since the last that was compared
  };

  bool is_sampled(std::uint64_t raw) const noexcept;
  std::uint64_t in_range(std::uint64_t raw) const noexcept { return raw << shift_ >> shift_; }
  bool searches() const noexcept { return state_ != State::Locked || searching_; }
  bool are_copies(const PayloadNote& own, const PayloadNote& reference) const noexcept;
  bool agree(const PayloadNote& own, const PayloadNote& reference,
             OffsetMapping& mapping) const noexcept;
  void step(std::uint64_t raw, Instant now) noexcept;
  void consider(PayloadNote& own, const PayloadNote& reference) noexcept;
  void check(PayloadNote& own, const PayloadNote& reference) noexcept;
  void test(PayloadNote& own, const PayloadNote& reference) noexcept;
  void propose(PayloadNote& own, const PayloadNote& reference) noexcept;
  void lock() noexcept;
  void doubt() noexcept;
  void forget() noexcept;
  void lose() noexcept;

  unsigned shift_;  // 64 less the width of a position
  std::size_t remembered_;
  Nanoseconds max_skew_;
  State state_ = State::Learning;
  bool in_place_ = false;   // the last packet followed the leg's highest
  bool searching_ = false;  // locked, but the reference has not been met for long
  Change change_;
  bool mapped_ = false;
  bool tries_ = false;
  OffsetMapping mapping_;  // where mapped_
  Candidate candidate_;    // where tries_
  PayloadTrail trail_;
  std::uint64_t highest_ = 0;     // of the leg
  std::uint64_t next_ = 0;        // what would confirm a jump
  std::uint64_t count_ = 0;       // packets of the leg
  std::uint64_t references_ = 0;  // of the reference
  std::uint64_t met_count_ = 0;   // when the mapping was last compared
  std::uint64_t met_references_ = 0;
  std::uint64_t doubted_references_ = 0;  // when the doubt began
  std::uint64_t doubted_ = 0;             // packets since
  unsigned matches_ = 0;                  // in doubt, in succession
  unsigned mismatches_ = 0;
  unsigned strange_ = 0;  // packets of another epoch, in succession
  std::uint32_t strange_epoch_ = 0;
  Instant heard_at_{INT64_MIN / 4};
  Instant reference_heard_at_{INT64_MIN / 4};
};

}  // namespace castgate
