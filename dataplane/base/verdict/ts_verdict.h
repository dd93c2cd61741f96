// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/base/failover/leg_track.h"

namespace castgate {

// What one leg's MPEG-TS packets had to be faulted for (ETSI TR 101 290, ISO/IEC 13818-1 2.4.3).
struct TsFaults {
  std::uint64_t sync = 0;             // datagrams that are not whole packets of 188 bytes with 0x47
  std::uint64_t transport_error = 0;  // packets with transport_error_indicator
  std::uint64_t continuity = 0;       // packets whose continuity_counter jumps
  std::uint64_t pcr = 0;              // PCRs that step back, or by more than 100 ms
};

// Judges the MPEG-TS of one leg, datagram by datagram, in 16 KiB. Faults that the leg's own losses
// explain are none: tell it with `Turn` what came between.
class TsVerdict {
 public:
  static constexpr std::size_t kPacket = 188;

  enum class Turn : std::uint8_t {
    Next,     // follows the datagram judged before
    Skipped,  // others were lost between
    Old,      // came late or twice
  };

  // `ts`: `length` bytes. Corrupt where they are no TS packets; Degraded for any other fault.
  Grade judge(const std::byte* ts, std::size_t length, Turn turn) noexcept;

  const TsFaults& faults() const noexcept { return faults_; }

 private:
  static constexpr std::uint16_t kKnown = 0x10;
  static constexpr std::uint16_t kRepeated = 0x8000;
  static constexpr unsigned kGenerations = 1u << 10;
  static constexpr std::uint64_t kNoPcr = ~0ull;

  void forget() noexcept;
  Grade refuse() noexcept;
  Grade judge_old(const std::byte* ts, std::size_t packets) noexcept;
  bool judge_odd(const std::byte* packet, std::uint32_t header) noexcept;
  bool judge_one(const std::byte* packet, std::uint32_t header) noexcept;
  bool judge_continuity(unsigned pid, unsigned counter, bool may_jump) noexcept;
  bool judge_pcr(const std::byte* packet, unsigned pid, bool discontinuity) noexcept;
  std::uint16_t expected(unsigned counter) const noexcept {
    return static_cast<std::uint16_t>(generation_ << 5 | kKnown | (counter & 15));
  }

  std::uint32_t wanted_ = 0;  // the header that comes next if its PID is the last one's; 0: none
  unsigned generation_ = 1;
  unsigned pcr_pid_ = ~0u;
  std::uint64_t pcr_ = kNoPcr;  // 27 MHz
  TsFaults faults_;
  // By PID: the counter that comes next, kKnown, and the generation in which that was learnt.
  std::array<std::uint16_t, 8192> next_{};
};

}  // namespace castgate
