// SPDX-License-Identifier: Apache-2.0
#include "dataplane/failover/failover_stage.h"

#include <algorithm>
#include <array>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/checksum.h"
#include "dataplane/base/rtp/locate.h"
#include "dataplane/base/sequence/messages.h"

namespace castgate {
namespace {

MergeConfig merge_config(const StreamSpec& stream, std::uint32_t tag) {
  const FailoverSpec& failover = stream.failover;
  MergeConfig config;
  config.release = failover.release == Release::Arrival   ? MergeRelease::Arrival
                   : failover.release == Release::Ordered ? MergeRelease::Ordered
                                                          : MergeRelease::Playout;
  config.window = window_positions(stream);
  config.max_skew = failover.max_skew;
  config.playout_delay = failover.playout_delay;
  config.epoch_hold = failover.epoch_hold;
  config.legs = static_cast<unsigned>(stream.legs.size());
  config.reorder_depth = failover.reorder_depth;
  config.width = stream.sequence.width();
  config.ranges = stream.sequence.counts_messages();
  config.trim = stream.sequence.overlap == Overlap::Trim && stream.sequence.has_lengths();
  config.tag = tag;
  return config;
}

// The payload is another: length and checksum of UDP follow it, so that what is made of them for
// the outputs is right. No checksum stays no checksum.
void refresh_udp(std::byte* frame, const PacketTag& tag, std::size_t length) noexcept {
  std::byte* udp = frame + tag.udp_at;
  store_be16(udp + 4, static_cast<std::uint16_t>(length));
  if (load_raw<std::uint16_t>(udp + 6) == 0) return;
  store_raw<std::uint16_t>(udp + 6, 0);
  const bool v6 = (tag.flags & PacketTag::kIp6) != 0;
  const std::byte* addresses = frame + tag.l3_at + (v6 ? 8 : 12);
  const std::uint64_t sum = ones_sum(addresses, v6 ? 32 : 8) + ones_sum(udp, length) +
                            std::byteswap(std::uint16_t{17}) +
                            std::byteswap(static_cast<std::uint16_t>(length));
  const auto checksum = static_cast<std::uint16_t>(~fold_sum(sum));
  store_raw<std::uint16_t>(udp + 6, checksum == 0 ? std::uint16_t{0xffff} : checksum);
}

constexpr std::array<DropReason, static_cast<std::size_t>(MergeDrop::kCount)> kReasons{
    DropReason::Redundant,        DropReason::DuplicateSameLeg, DropReason::Late,
    DropReason::LateAfterRelease, DropReason::WildSequence,     DropReason::OtherEpoch};

}  // namespace

FailoverStage::FailoverStage(const Spec& spec, const std::vector<bool>& mine,
                             std::uint64_t held_limit, Stage& next, EventSink& events)
    : next_(next),
      events_(events),
      windows_(spec.streams.size()),
      malformed_(spec.streams.size()),
      lanes_(spec.streams.size()),
      spec_(spec),
      deadlines_(spec.streams.size()) {
  limit_held(held_limit);
  for (std::size_t s = 0; s < spec.streams.size(); ++s) {
    if (!mine[s]) continue;
    const StreamSpec& stream = spec.streams[s];
    MergeWindow& window = windows_[s].emplace(merge_config(stream, static_cast<std::uint32_t>(s)));
    const std::uint64_t most = std::min<std::uint64_t>(window.window() / 4, Located::kEnd - 1);
    lanes_[s] = {&window, stream.sequence.format, stream.sequence.counts_messages(),
                 static_cast<std::uint16_t>(most)};
  }
}

FailoverStage::~FailoverStage() {
  drain(now_);
  bin_.flush();
}

void FailoverStage::process(std::span<rte_mbuf* const> burst, Instant now) noexcept {
  CG_CHECK(burst.size() <= kBurst);
  now_ = now;
  for (rte_mbuf* packet : burst) offer(packet, now);
  flush();
  bin_.flush();
}

[[gnu::always_inline]] inline void FailoverStage::offer(rte_mbuf* packet, Instant now) noexcept {
  const PacketTag tag = tag_of(packet);
  CG_DCHECK(tag.stream < lanes_.size() && lanes_[tag.stream].window != nullptr);
  const Lane lane = lanes_[tag.stream];
  const unsigned payload_at = tag.udp_at + 8u;
  const auto* payload = rte_pktmbuf_mtod_offset(packet, const std::byte*, payload_at);
  const std::size_t length = packet->data_len - payload_at;
  Located where;
  const bool located = lane.format == SequenceFormat::Rtp ? locate_rtp(payload, length, where)
                                                          : locate(tag, payload, length, where);
  if (!located) [[unlikely]]
    return malformed(packet, tag);
  const Arrival arrival{packet, where.raw, where.epoch, packet->pkt_len, tag.leg, now, where.count};
  if (lane.ranges) {
    lane.window->offer_range(arrival, *this);
  } else {
    lane.window->offer(arrival, *this);
  }
  if (lane.window->wants_arming()) [[unlikely]]
    deadlines_.set(tag.stream, lane.window->arm());
}

bool FailoverStage::locate(const PacketTag& tag, const std::byte* payload, std::size_t length,
                           Located& where) const noexcept {
  const Lane& lane = lanes_[tag.stream];
  bool found = false;
  switch (lane.format) {
    case SequenceFormat::Rtp:
      found = locate_rtp(payload, length, where);
      break;
    case SequenceFormat::RtpExtended:
      return locate_rtp_extended(payload, length, where);
    case SequenceFormat::CmeMdp3:
      return locate_cme_mdp3(payload, length, where);
    case SequenceFormat::Moldudp64:
      found = locate_moldudp64(payload, length, where);
      break;
    case SequenceFormat::IexTp:
      found = locate_iex_tp(payload, length, where);
      break;
    case SequenceFormat::Generic:
      found = locate_generic(spec_.streams[tag.stream].sequence.generic, payload, length, where);
      break;
  }
  return found && (where.count <= lane.most || where.count == Located::kEnd);
}

void FailoverStage::malformed(rte_mbuf* packet, const PacketTag& tag) noexcept {
  ++malformed_[tag.stream][tag.leg];
  lanes_[tag.stream].window->count_malformed(tag.leg, packet->pkt_len);
  bin_.drop(packet, DropReason::Malformed);
}

void FailoverStage::tick(Instant now) noexcept {
  now_ = now;
  while (deadlines_.next() <= now) {
    const std::uint32_t s = deadlines_.pop();
    MergeWindow& window = *lanes_[s].window;
    window.tick(now, *this);
    if (window.wants_arming()) deadlines_.set(s, window.arm());
  }
  flush();
}

void FailoverStage::drain(Instant now) noexcept {
  now_ = now;
  for (auto& window : windows_) {
    if (window) window->drain(now, *this);
  }
  flush();
}

void FailoverStage::pass_on(std::span<void* const> packets) noexcept {
  next_.process({reinterpret_cast<rte_mbuf* const*>(packets.data()), packets.size()}, now_);
}

void FailoverStage::free(std::span<void* const> packets) noexcept {
  free_packets({reinterpret_cast<rte_mbuf* const*>(packets.data()), packets.size()});
}

void FailoverStage::cut(std::uint32_t tag, void* packet, unsigned skip, unsigned count) noexcept {
  auto* mbuf = static_cast<rte_mbuf*>(packet);
  const PacketTag at = tag_of(mbuf);
  auto* payload = rte_pktmbuf_mtod_offset(mbuf, std::byte*, at.udp_at + 8u);
  const std::size_t whole = mbuf->data_len - (at.udp_at + 8u);
  const std::size_t length = lanes_[tag].format == SequenceFormat::IexTp
                                 ? cut_iex_tp(payload, whole, skip, count)
                                 : cut_moldudp64(payload, whole, skip, count);
  if (length == 0) return;  // its messages' lengths are wrong: it goes as it is
  mbuf->data_len = static_cast<std::uint16_t>(at.udp_at + 8u + length);
  mbuf->pkt_len = mbuf->data_len;
  refresh_udp(rte_pktmbuf_mtod(mbuf, std::byte*), at, length + 8);
}

void* FailoverStage::copy(std::uint32_t /*tag*/, void* packet) noexcept {
  auto* mbuf = static_cast<rte_mbuf*>(packet);
  rte_mbuf* made = rte_pktmbuf_copy(mbuf, mbuf->pool, 0, UINT32_MAX);
  created_.add();
  if (made == nullptr) {
    bin_.note(DropReason::CopyFailed);
    return nullptr;
  }
  set_tag(made, tag_of(mbuf));
  return made;
}

void FailoverStage::gap(std::uint32_t tag, std::uint64_t from, std::uint64_t to, GapCause cause,
                        Instant now) noexcept {
  const MergeWindow& window = *lanes_[tag].window;
  unsigned up = 0;
  for (unsigned l = 0; l < spec_.streams[tag].legs.size(); ++l) {
    if (window.leg(l).live) up |= 1u << l;
  }
  events_.report({.kind = EventKind::Gap,
                  .reason = static_cast<GapReason>(cause),
                  .legs = static_cast<std::uint8_t>(up),
                  .stream = static_cast<std::uint16_t>(tag),
                  .epoch = window.epoch(),
                  .from = from,
                  .to = to,
                  .at = now});
}

void FailoverStage::epoch_changed(std::uint32_t tag, std::uint32_t epoch, Instant now) noexcept {
  events_.report({.kind = EventKind::EpochChange,
                  .stream = static_cast<std::uint16_t>(tag),
                  .epoch = epoch,
                  .at = now});
}

void FailoverStage::leg_changed(std::uint32_t tag, unsigned leg, LegChange change,
                                Instant now) noexcept {
  const EventKind kind = change == LegChange::Up       ? EventKind::LegUp
                         : change == LegChange::Silent ? EventKind::LegSilent
                                                       : EventKind::LegDiverged;
  events_.report({.kind = kind,
                  .leg = static_cast<std::uint8_t>(leg),
                  .stream = static_cast<std::uint16_t>(tag),
                  .epoch = lanes_[tag].window->epoch(),
                  .at = now});
}

void FailoverStage::count_drops(DropCounts& counts) const noexcept {
  for (std::size_t i = 0; i < kReasons.size(); ++i) {
    counts[static_cast<std::size_t>(kReasons[i])] += dropped(static_cast<MergeDrop>(i));
  }
  for (const DropReason own : {DropReason::Malformed, DropReason::CopyFailed}) {
    counts[static_cast<std::size_t>(own)] += bin_.dropped(own);
  }
}

}  // namespace castgate
