// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/verdict/stream_verdict.h"

#include "dataplane/base/big_endian.h"

namespace castgate {
namespace {

constexpr std::size_t kRtpHeader = 12;

}  // namespace

std::span<const std::byte> rtp_payload(std::span<const std::byte> packet) noexcept {
  const auto first = std::to_integer<unsigned>(packet[0]);
  std::size_t begin = kRtpHeader + 4 * static_cast<std::size_t>(first & 0x0f);
  if ((first & 0x10) != 0) {
    if (begin + 4 > packet.size()) return {};
    begin += 4 + 4 * static_cast<std::size_t>(load_be16(packet.data() + begin + 2));
  }
  std::size_t end = packet.size();
  if ((first & 0x20) != 0) {
    const auto padding = std::to_integer<std::size_t>(packet.back());
    if (padding == 0 || padding > end) return {};
    end -= padding;
  }
  if (begin > end) return {};
  return packet.subspan(begin, end - begin);
}

StreamVerdict::StreamVerdict(const VerdictConfig& config) : config_(config) {
  for (unsigned leg = 0; config.mpeg_ts && leg < config.legs; ++leg) {
    legs_.push_back(std::make_unique<Leg>());
  }
}

std::optional<Grade> StreamVerdict::judge(unsigned leg, std::span<const std::byte> payload,
                                          const Located& where) noexcept {
  if (config_.payload_type) {
    const unsigned type = std::to_integer<unsigned>(payload[1]) & 0x7f;
    if (type != *config_.payload_type) return std::nullopt;
  }
  if (!config_.mpeg_ts) return Grade::Good;
  const auto ts = config_.rtp ? rtp_payload(payload) : payload;
  Leg& of = *legs_[leg];
  return of.ts.judge(ts.data(), ts.size(), turn(of, where));
}

TsVerdict::Turn StreamVerdict::turn(Leg& leg, const Located& where) const noexcept {
  const unsigned shift = 64 - config_.width;
  const auto step = static_cast<std::int64_t>((where.raw - leg.last) << shift) >> shift;
  const bool anew = !leg.seen || leg.epoch != where.epoch;
  constexpr std::int64_t kLate = 64;  // positions; further back the source counts anew
  if (!anew && step <= 0 && step > -kLate) return TsVerdict::Turn::Old;
  leg.last = where.raw;
  leg.epoch = where.epoch;
  leg.seen = true;
  return !anew && step == 1 ? TsVerdict::Turn::Next : TsVerdict::Turn::Skipped;
}

const TsFaults& StreamVerdict::faults(unsigned leg) const noexcept {
  static constexpr TsFaults kNone;
  return leg < legs_.size() ? legs_[leg]->ts.faults() : kNone;
}

}  // namespace castgate
