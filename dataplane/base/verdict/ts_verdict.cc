// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/verdict/ts_verdict.h"

#include <utility>

#include "dataplane/base/big_endian.h"

namespace castgate {
namespace {

constexpr std::uint32_t kSyncMask = 0xff000000;
constexpr std::uint32_t kSync = 0x47000000;
constexpr std::uint32_t kTransportError = 0x00800000;
constexpr std::uint32_t kAdaptation = 0x20;
constexpr std::uint32_t kPayload = 0x10;
// What a plain packet's header is judged by: not its start indicator, priority and scrambling.
constexpr std::uint32_t kTold = 0xff9fff3f;
constexpr unsigned kNullPid = 0x1fff;
constexpr unsigned kDiscontinuity = 0x80;
constexpr unsigned kPcrFlag = 0x10;

constexpr unsigned pid_of(std::uint32_t header) noexcept {
  return header >> 8 & 0x1fff;
}

}  // namespace

Grade TsVerdict::judge(const std::byte* ts, std::size_t length, Turn turn) noexcept {
  const std::size_t packets = length / kPacket;
  if (packets * kPacket != length || packets == 0) return refuse();
  if (turn == Turn::Skipped) forget();
  if (turn == Turn::Old) return judge_old(ts, packets);
  std::uint32_t wanted = wanted_;
  bool good = true;
  for (std::size_t i = 0; i < packets; ++i) {
    const std::byte* packet = ts + i * kPacket;
    const std::uint32_t header = load_be32(packet);
    if ((header & kTold) != wanted) [[unlikely]] {
      if ((header & kSyncMask) != kSync) return refuse();
      wanted_ = wanted;
      good &= judge_odd(packet, header);
      wanted = wanted_;
      continue;
    }
    wanted = (wanted & ~15u) | ((wanted + 1) & 15);
  }
  wanted_ = wanted;
  return good ? Grade::Good : Grade::Degraded;
}

Grade TsVerdict::refuse() noexcept {
  ++faults_.sync;
  forget();
  return Grade::Corrupt;
}

// Of no consequence for what the leg brings in turn.
Grade TsVerdict::judge_old(const std::byte* ts, std::size_t packets) noexcept {
  std::uint32_t errors = 0;
  for (std::size_t i = 0; i < packets; ++i) {
    const std::uint32_t header = load_be32(ts + i * kPacket);
    if ((header & kSyncMask) != kSync) {
      ++faults_.sync;
      return Grade::Corrupt;
    }
    errors |= header & kTransportError;
  }
  return errors == 0 ? Grade::Good : Grade::Degraded;
}

// The leg lost what came before: nothing of it can be held against what comes now.
void TsVerdict::forget() noexcept {
  pcr_ = kNoPcr;
  wanted_ = 0;
  if (++generation_ < kGenerations) return;
  generation_ = 1;
  next_.fill(0);
}

// Not the next plain packet of the PID that was last. Each PID's state is in the table but the last
// one's, which is in `wanted_`.
bool TsVerdict::judge_odd(const std::byte* packet, std::uint32_t header) noexcept {
  const unsigned pid = pid_of(header);
  if (pid == kNullPid && (header & kTransportError) == 0) return true;
  if (wanted_ != 0) next_[pid_of(wanted_)] = expected(wanted_);
  const bool good = judge_one(packet, header);
  const bool known = next_[pid] == expected(next_[pid]);
  wanted_ = known ? kSync | pid << 8 | kPayload | (next_[pid] & 15u) : 0;
  return good;
}

bool TsVerdict::judge_one(const std::byte* packet, std::uint32_t header) noexcept {
  const unsigned pid = pid_of(header);
  if ((header & kTransportError) != 0) {
    ++faults_.transport_error;
    next_[pid] = 0;  // its other fields may be wrong, too
    return false;
  }
  bool discontinuity = false;
  bool good = true;
  if ((header & kAdaptation) != 0 && std::to_integer<unsigned>(packet[4]) != 0) {
    const unsigned flags = std::to_integer<unsigned>(packet[5]);
    discontinuity = (flags & kDiscontinuity) != 0;
    constexpr unsigned kWithPcr = 7;  // bytes of an adaptation field that holds one
    if ((flags & kPcrFlag) != 0 && std::to_integer<unsigned>(packet[4]) >= kWithPcr) {
      good = judge_pcr(packet, pid, discontinuity);
    }
  }
  const bool has_payload = (header & kPayload) != 0;
  if (has_payload) good &= judge_continuity(pid, header & 15, discontinuity);
  return good;
}

// A packet may come twice; the third time is a fault.
bool TsVerdict::judge_continuity(unsigned pid, unsigned counter, bool may_jump) noexcept {
  std::uint16_t& next = next_[pid];
  const std::uint16_t wanted = next & static_cast<std::uint16_t>(~kRepeated);
  const bool known = wanted == expected(wanted);
  const bool repeats = known && (next & kRepeated) == 0 && wanted == expected(counter + 1);
  if (repeats) {
    next = wanted | kRepeated;
    return true;
  }
  next = expected(counter + 1);
  if (!known || may_jump || wanted == expected(counter)) return true;
  ++faults_.continuity;
  return false;
}

// TR 101 290 2.3b, of the first PID that carries a PCR; another one where that falls silent is not
// looked for.
bool TsVerdict::judge_pcr(const std::byte* packet, unsigned pid, bool discontinuity) noexcept {
  if (pcr_pid_ == ~0u) pcr_pid_ = pid;
  if (pid != pcr_pid_) return true;
  constexpr std::uint64_t kRange = (1ull << 33) * 300;
  constexpr std::uint64_t kMost = 2'700'000;  // 100 ms
  const std::uint64_t low = load_be16(packet + 10);
  const std::uint64_t base = std::uint64_t{load_be32(packet + 6)} << 1 | low >> 15;
  const std::uint64_t pcr = base * 300 + (low & 0x1ff);
  const std::uint64_t before = std::exchange(pcr_, pcr);
  if (before == kNoPcr || discontinuity) return true;
  const std::uint64_t step = pcr >= before ? pcr - before : pcr + kRange - before;
  if (step <= kMost) return true;
  ++faults_.pcr;
  return false;
}

}  // namespace castgate
