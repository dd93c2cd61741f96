// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/base/failover/inherited.h"
#include "dataplane/base/fingerprint/fingerprint.h"
#include "dataplane/base/offset/leg_offset.h"
#include "dataplane/base/offset/offset_learner.h"

namespace castgate {

// What a packet says of its place.
struct PacketNumbers {
  std::uint64_t raw = 0;
  std::uint32_t epoch = 0;
  std::uint32_t timestamp = 0;  // RTP's; 0 of others
  bool operator==(const PacketNumbers&) const = default;
};

// The numberings of a stream's legs, made one: that of the legs whose offset is not learnt, the
// reference. Expects every packet of the stream in the order in which it came.
class StreamOffsets {
 public:
  StreamOffsets(const std::vector<LegOffset>& legs, const OffsetConfig& config);

  // Before the first packet where a leg learns; outlives it, and is the same for as long as it and
  // what it took over live.
  void use(const Fingerprint& fingerprint) noexcept { fingerprint_ = &fingerprint; }
  // The stream was configured anew: legs that go on, and learn as before, know what they knew.
  void take_over(StreamOffsets& old, const Inherited& from) noexcept;

  // Moves the numbers to the stream's. False: nobody knows where the packet stands. `payload`:
  // what copies share, behind the numbers; none where it is not to be trusted. `speaks`: is the
  // numbering of the leg the stream's, where it is no learner?
  bool admit(unsigned leg, PacketNumbers& numbers, std::span<const std::byte> payload, bool speaks,
             Instant now) noexcept;

  bool learns(unsigned leg) const noexcept { return learners_[leg] != nullptr; }
  bool any_learns() const noexcept { return reference_ != nullptr; }

  // Whose offset was lost or found since the last call; `next` of it.
  struct Changed {
    unsigned leg = 0;
    OffsetLearner::Change change;
  };
  bool take_change(Changed& into) noexcept;

  struct View {
    std::optional<std::int64_t> offset;  // as few positions as do; none while it is learnt
    Instant heard_at{INT64_MIN / 4};
  };
  View view(unsigned leg) const noexcept;
  std::size_t memory_bytes() const noexcept;

 private:
  bool admit_learner(OffsetLearner& learner, PacketNumbers& numbers,
                     std::span<const std::byte> payload, Instant now) noexcept;
  void note_reference(const PacketNumbers& numbers, std::span<const std::byte> payload,
                      Instant now) noexcept;
  std::uint64_t in_range(std::uint64_t raw) const noexcept { return raw << shift_ >> shift_; }

  OffsetConfig config_;
  unsigned shift_;  // 64 less the width of a position
  std::vector<LegOffset> legs_;
  std::vector<std::unique_ptr<OffsetLearner>> learners_;  // by leg; null of the reference
  std::unique_ptr<PayloadTrail> reference_;               // null where no leg learns
  const Fingerprint* fingerprint_ = nullptr;
  Instant eager_until_{INT64_MIN / 4};  // all payloads of the reference are noted
  std::uint8_t changed_ = 0;            // bit each: a leg of which a change may be told
};

}  // namespace castgate
