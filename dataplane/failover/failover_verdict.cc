// SPDX-License-Identifier: Apache-2.0
// What is said of a packet before the merge has it.
#include <nmmintrin.h>

#include "dataplane/failover/failover_stage.h"
#include "dataplane/failover/udp_payload.h"

namespace castgate {

void FailoverStage::offer_judged(const Arrival& arrival, const Located& where,
                                 const PacketTag& tag) noexcept {
  auto* packet = static_cast<rte_mbuf*>(arrival.packet);
  StreamJudgement& judged = streams_[tag.stream].judged;
  StreamJudgement::Leg& leg = judged.legs[tag.leg];
  Arrival graded = arrival;
  if ((tag.flags & PacketTag::kCorrupt) != 0) {
    ++leg.corrupt;
    graded.grade = Grade::Corrupt;
    // It leaves only where nothing better comes; receivers drop what has a wrong checksum.
    refresh_udp(rte_pktmbuf_mtod(packet, std::byte*), tag, packet->data_len - tag.udp_at);
  } else if (judged.verdict) {
    const auto grade = judged.verdict->judge(tag.leg, udp_payload(packet, tag), where);
    if (!grade) return refuse(packet, tag, DropReason::PayloadType);
    if (*grade == Grade::Corrupt) return refuse(packet, tag, DropReason::NotTs);
    if (*grade != Grade::Good) ++leg.degraded;
    graded.grade = *grade;
  }
  MergeWindow& window = *lanes_[tag.stream].window;
  if (window.choice() != nullptr) {
    window.offer_choice(graded, *this);
  } else {
    window.offer(graded, *this);
  }
}

void FailoverStage::refuse(rte_mbuf* packet, const PacketTag& tag, DropReason why) noexcept {
  StreamJudgement::Leg& leg = streams_[tag.stream].judged.legs[tag.leg];
  ++(why == DropReason::PayloadType      ? leg.payload_type
     : why == DropReason::NotTs          ? leg.not_ts
     : why == DropReason::OffsetLearning ? leg.offset_learning
                                         : leg.malformed);
  lanes_[tag.stream].window->count_malformed(tag.leg, packet->pkt_len);
  bin_.drop(packet, why);
}

std::uint64_t FailoverStage::content(std::uint32_t tag, void* packet) noexcept {
  const auto payload = compared(tag, static_cast<const rte_mbuf*>(packet));
  std::uint64_t sum = payload.size();
  std::size_t at = 0;
  for (; at + 8 <= payload.size(); at += 8) {
    sum = _mm_crc32_u64(sum, load_raw<std::uint64_t>(payload.data() + at));
  }
  for (; at < payload.size(); ++at) {
    sum =
        _mm_crc32_u8(static_cast<std::uint32_t>(sum), std::to_integer<unsigned char>(payload[at]));
  }
  return sum | 1ull << 32;  // never 0
}

void FailoverStage::offer_unnumbered(rte_mbuf* packet, const PacketTag& tag, Instant now) noexcept {
  FingerprintMerge& merge = *streams_[tag.stream].unnumbered;
  StreamJudgement& judged = streams_[tag.stream].judged;
  if ((judged.refused >> tag.leg & 1) != 0) {
    ++judged.legs[tag.leg].locked_out;
    merge.count_refused(tag.leg, packet->pkt_len);
    return bin_.drop(packet, DropReason::LockedOut);
  }
  const auto payload = udp_payload(packet, tag);
  const std::uint64_t value = fingerprint_->of(payload.data(), payload.size());
  merge.offer({packet, value, 0, packet->pkt_len, tag.leg, now}, *this);
  rearm(tag.stream, merge);
}

void FailoverStage::command(const LegCommand& command, Instant now) noexcept {
  FailoverStream& stream = streams_[command.stream];
  if (command.leg >= stream.legs) return;
  if (stream.unnumbered) {
    const auto bit = static_cast<std::uint8_t>(1u << command.leg);
    std::uint8_t& refused = stream.judged.refused;
    refused &= static_cast<std::uint8_t>(~bit);
    if (command.action == LegAction::Lockout) refused |= bit;
    return;
  }
  now_ = now;
  MergeWindow& window = *stream.lane.window;
  window.command(command.leg, command.action, now, *this);
  flush();
  bin_.flush();
  rearm(command.stream, window);
}

}  // namespace castgate
