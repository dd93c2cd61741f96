// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "dataplane/base/instant.h"
#include "dataplane/contract/clients.h"
#include "dataplane/replicate/header_writer.h"

namespace castgate {

// The newest packets that went to the clients of an output, so that it can be told whether an ICMP
// error quotes one of them. The worker writes eight bytes a packet, however many clients there are;
// the control thread reads meanwhile.
class SentLog {
 public:
  static constexpr unsigned kPackets = 16'384;  // 2 s of 8000 a second; faster ones less of them
  static constexpr Nanoseconds kKept = std::chrono::seconds(2);

  // Worker. `payload`: of UDP.
  void note(const ReceivedHeaders& received, std::span<const std::uint8_t> payload,
            Instant now) noexcept {
    const std::uint64_t number = next_.load(std::memory_order_relaxed);
    std::uint64_t begin = 0;
    if (payload.size() >= sizeof begin) [[likely]] {
      std::memcpy(&begin, payload.data(), sizeof begin);
    } else if (!payload.empty()) {
      std::memcpy(&begin, payload.data(), payload.size());
    }
    const std::uint64_t sum = received.udp_checksum == 0 ? 0 : never_zero(moved_sum(received));
    const std::uint64_t entry =
        sum | mix(begin, payload.size() + 8) << kSumBits | ticks(now) << (kSumBits + kMixBits);
    packets_[number % kPackets].store(entry, std::memory_order_relaxed);
    next_.store(number + 1, std::memory_order_release);
  }

  // Control thread: the newest of the last two seconds that the quote fits. `pseudo_sum`: of the
  // client's HeaderTemplate.
  std::optional<SentPacket> find(const QuotedPacket& quote, std::uint16_t pseudo_sum, bool is_v6,
                                 Instant now) const noexcept {
    const std::uint64_t end = next_.load(std::memory_order_acquire);
    const Wanted wanted = wanted_by(quote, pseudo_sum, is_v6);
    for (std::uint64_t n = end; n > 0 && end - n < kPackets; --n) {
      const std::uint64_t entry = packets_[(n - 1) % kPackets].load(std::memory_order_relaxed);
      // Sent at this moment, a packet may be newer than `now`.
      const std::uint64_t age = (ticks(now) - (entry >> (kSumBits + kMixBits))) & kTickMask;
      if (age > ticks({kKept.count()}) && age < kTickMask / 2) break;
      if (fits(entry, wanted)) return SentPacket{n - 1, wanted.begins};
    }
    return std::nullopt;
  }

 private:
  static constexpr unsigned kSumBits = 16;
  static constexpr unsigned kMixBits = 24;
  static constexpr unsigned kTickBits = 24;  // of a millisecond and a bit: they come round in 4 h
  static constexpr std::uint64_t kTickMask = (1u << kTickBits) - 1;

  struct Wanted {
    std::uint16_t sum;  // 0: the copy had no checksum
    bool any_sum;       // over IPv6 a packet without one gets one
    bool begins;        // the payload's begin is known
    std::uint64_t mixed;
  };

  static constexpr std::uint16_t never_zero(std::uint16_t sum) noexcept {
    return sum == 0 ? std::uint16_t{0xffff} : sum;  // the same to these sums
  }
  static constexpr std::uint64_t mix(std::uint64_t begin, std::uint64_t udp_length) noexcept {
    return (begin ^ udp_length << 48) * 0x9e3779b97f4a7c15ull >> (64 - kMixBits);
  }
  static constexpr std::uint64_t ticks(Instant at) noexcept {
    return static_cast<std::uint64_t>(at.ns) >> 20 & kTickMask;
  }
  static Wanted wanted_by(const QuotedPacket& quote, std::uint16_t pseudo_sum,
                          bool is_v6) noexcept {
    Wanted wanted{.sum = 0, .any_sum = is_v6, .begins = false, .mixed = 0};
    if (quote.udp_checksum != 0) {
      const std::uint16_t checksum = std::byteswap(quote.udp_checksum);
      const auto rest = static_cast<std::uint16_t>(
          ~fold_sum32(std::uint32_t{checksum} + std::uint32_t{pseudo_sum}));
      wanted.sum = never_zero(rest);
    }
    const unsigned payload = quote.udp_length - std::min<unsigned>(quote.udp_length, 8);
    wanted.begins = quote.begin_bytes >= std::min<std::size_t>(payload, quote.begin.size());
    std::uint64_t begin = 0;
    std::memcpy(&begin, quote.begin.data(), sizeof begin);
    wanted.mixed = mix(begin, quote.udp_length);
    return wanted;
  }
  static bool fits(std::uint64_t entry, const Wanted& wanted) noexcept {
    const auto sum = static_cast<std::uint16_t>(entry);
    if (sum == 0 && !wanted.begins) return false;  // nothing to tell it by
    if (sum != wanted.sum && !(sum == 0 && wanted.any_sum)) return false;
    constexpr std::uint64_t kMixMask = (1u << kMixBits) - 1;
    return !wanted.begins || (entry >> kSumBits & kMixMask) == wanted.mixed;
  }

  std::atomic<std::uint64_t> next_{0};  // how many there were
  std::array<std::atomic<std::uint64_t>, kPackets> packets_{};
};

}  // namespace castgate
