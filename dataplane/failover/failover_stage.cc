// SPDX-License-Identifier: Apache-2.0
#include "dataplane/failover/failover_stage.h"

#include <algorithm>
#include <array>

#include "dataplane/base/rtp/locate.h"
#include "dataplane/contract/locate.h"
#include "dataplane/failover/merge_configs.h"
#include "dataplane/failover/udp_payload.h"

namespace castgate {
namespace {

// When the first packet of the epoch came that is about to begin: the legs keep it still.
Instant first_arrival(const MergeWindow& window, std::uint32_t epoch) noexcept {
  Instant first = kNever;
  for (unsigned l = 0; l < window.leg_count(); ++l) {
    const Candidate& candidate = window.leg(l).candidate;
    if (candidate.count == 0 || candidate.kept[0].epoch != epoch) continue;
    if (epoch != window.epoch() || candidate.confirmed) {
      first = std::min(first, candidate.kept[0].now);
    }
  }
  return first;
}

constexpr std::array<DropReason, static_cast<std::size_t>(MergeDrop::kCount)> kReasons{
    DropReason::Redundant,        DropReason::DuplicateSameLeg, DropReason::Late,
    DropReason::LateAfterRelease, DropReason::WildSequence,     DropReason::OtherEpoch,
    DropReason::LockedOut};

}  // namespace

FailoverStage::FailoverStage(const Spec& spec, const std::vector<bool>& mine, const Limits& limits,
                             Stage& next, EventSink& events)
    : next_(&next),
      events_(events),
      lanes_(std::max(spec.streams.size(), limits.streams)),
      streams_(lanes_.size()),
      deadlines_(lanes_.size()) {
  limit_held(limits.held);
  const auto berths = std::make_shared<std::vector<FailoverBerth>>(spec.streams.size());
  for (std::size_t s = 0; s < spec.streams.size(); ++s) {
    if (!mine[s]) continue;
    streams_[s] = make_failover_stream(spec.streams[s], static_cast<std::uint32_t>(s),
                                       {berths, &(*berths)[s]});
    lanes_[s] = streams_[s].lane;
    if (!asks_for_fingerprint(spec.streams[s])) continue;
    if (!fingerprint_) fingerprint_ = std::make_unique<Fingerprint>(limits.fingerprint_seed);
    if (streams_[s].offsets) streams_[s].offsets->use(*fingerprint_);
  }
}

FailoverStage::~FailoverStage() {
  drain(now_);
  bin_.flush();
}

void FailoverStage::process(std::span<rte_mbuf* const> burst, Instant now) noexcept {
  CG_CHECK(burst.size() <= kBurst);
  now_ = now;
  if (tap_ != nullptr) [[unlikely]]
    tap_->see({.stage = CaptureStage::Classify}, burst);
  for (rte_mbuf* packet : burst) offer(packet, now);
  flush();
  bin_.flush();
}

[[gnu::always_inline]] inline void FailoverStage::offer(rte_mbuf* packet, Instant now) noexcept {
  const PacketTag tag = tag_of(packet);
  CG_DCHECK(tag.stream < lanes_.size());
  const FailoverLane lane = lanes_[tag.stream];
  const unsigned payload_at = tag.udp_at + 8u;
  const auto* payload = rte_pktmbuf_mtod_offset(packet, const std::byte*, payload_at);
  const std::size_t length = packet->data_len - payload_at;
  Located where;
  const bool located = lane.format == SequenceFormat::Rtp ? locate_rtp(payload, length, where)
                                                          : locate(tag, payload, length, where);
  if (!located) [[unlikely]] {
    if (lane.format == SequenceFormat::Fingerprint) return offer_unnumbered(packet, tag, now);
    return refuse(packet, tag, DropReason::Malformed);
  }
  const Arrival arrival{packet, where.raw, where.epoch, packet->pkt_len, tag.leg, now, where.count};
  if (lane.plain) [[likely]] {
    lane.window->offer(arrival, *this);
  } else if (lane.offsets) {
    offer_moved(arrival, where, tag);
  } else if (lane.ranges) {
    lane.window->offer_range(arrival, *this);
  } else {
    offer_judged(arrival, where, tag);
  }
  if (lane.window->wants_arming()) [[unlikely]]
    deadlines_.set(tag.stream, lane.window->arm());
}

bool FailoverStage::locate(const rte_mbuf* packet, Located& where) const noexcept {
  const PacketTag tag = tag_of(packet);
  const auto payload = udp_payload(packet, tag);
  return locate(tag, payload.data(), payload.size(), where);
}

std::uint32_t FailoverStage::epoch_of(std::uint32_t stream) const noexcept {
  return lanes_[stream].window != nullptr ? lanes_[stream].window->epoch() : 0;
}

bool FailoverStage::locate(const PacketTag& tag, const std::byte* payload, std::size_t length,
                           Located& where) const noexcept {
  const FailoverLane& lane = lanes_[tag.stream];
  return locate_position(lane.format, streams_[tag.stream].sequence.generic, lane.most, payload,
                         length, where);
}

void FailoverStage::tick(Instant now) noexcept {
  now_ = now;
  while (deadlines_.next() <= now) {
    const std::uint32_t s = deadlines_.pop();
    if (FingerprintMerge* merge = streams_[s].unnumbered.get()) {
      merge->tick(now, *this);
      rearm(s, *merge);
    } else if (MergeWindow* window = lanes_[s].window) {
      window->tick(now, *this);
      rearm(s, *window);
    }
  }
  flush();
}

void FailoverStage::drain(Instant now) noexcept {
  now_ = now;
  for (FailoverStream& stream : streams_) drain(stream, now);
  flush();
}

void FailoverStage::pass_on(std::span<void* const> packets) noexcept {
  const std::span burst{reinterpret_cast<rte_mbuf* const*>(packets.data()), packets.size()};
  if (tap_ != nullptr) [[unlikely]]
    return pass_on_seen(burst);
  next_->process(burst, now_);
}

void FailoverStage::pass_on_seen(std::span<rte_mbuf* const> packets) noexcept {
  const std::size_t step = tap_->singly() ? 1 : packets.size();
  for (std::size_t i = 0; i < packets.size(); i += step) {
    tap_->see({.stage = CaptureStage::Failover}, packets.subspan(i, step));
    next_->process(packets.subspan(i, step), now_);
    tap_->passed_on();
  }
}

void FailoverStage::free(std::span<void* const> packets) noexcept {
  free_packets({reinterpret_cast<rte_mbuf* const*>(packets.data()), packets.size()});
}

void FailoverStage::free_one(void* packet, MergeDrop reason) noexcept {
  auto* mbuf = static_cast<rte_mbuf*>(packet);
  if (tap_ != nullptr) {
    const DropReason why = kReasons[static_cast<std::size_t>(reason)];
    tap_->see({.stage = CaptureStage::Drops, .reason = why}, {&mbuf, 1});
  }
  free_packets({&mbuf, 1});
}

void FailoverStage::show_to(Tap* tap) noexcept {
  const bool drops = tap != nullptr && tap->wants(CaptureStage::Drops);
  tap_ = tap;
  discard_singly(drops);
  bin_.show_to(drops ? tap : nullptr, true);
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
  if (tap_ != nullptr) tap_->copied(mbuf, made);
  return made;
}

void FailoverStage::gap(std::uint32_t tag, std::uint64_t from, std::uint64_t to, GapCause cause,
                        Instant now) noexcept {
  const MergeWindow* window = lanes_[tag].window;
  unsigned up = 0;
  for (unsigned l = 0; l < streams_[tag].legs; ++l) {
    if ((window != nullptr ? window->leg(l) : streams_[tag].unnumbered->leg(l)).live) up |= 1u << l;
  }
  events_.report({.kind = EventKind::Gap,
                  .reason = static_cast<GapReason>(cause),
                  .legs = static_cast<std::uint8_t>(up),
                  .stream = static_cast<std::uint16_t>(tag),
                  .epoch = epoch_of(tag),
                  .from = from,
                  .to = to,
                  .at = now});
  if (!lanes_[tag].restamped) return;
  flush();  // what came before the gap
  next_->skip(tag, to - from + 1);
}

void FailoverStage::epoch_changed(std::uint32_t tag, std::uint32_t epoch, Instant now) noexcept {
  events_.report({.kind = EventKind::EpochChange,
                  .stream = static_cast<std::uint16_t>(tag),
                  .epoch = epoch,
                  .at = now});
  if (!lanes_[tag].restamped) return;
  flush();  // what is of the old epoch
  next_->begin_epoch(tag, first_arrival(*lanes_[tag].window, epoch));
}

void FailoverStage::leg_changed(std::uint32_t tag, unsigned leg, LegChange change,
                                Instant now) noexcept {
  const EventKind kind = change == LegChange::Up          ? EventKind::LegUp
                         : change == LegChange::Silent    ? EventKind::LegSilent
                         : change == LegChange::Preferred ? EventKind::LegPreferred
                                                          : EventKind::LegDiverged;
  events_.report({.kind = kind,
                  .leg = static_cast<std::uint8_t>(leg),
                  .stream = static_cast<std::uint16_t>(tag),
                  .epoch = epoch_of(tag),
                  .at = now});
}

void FailoverStage::count_drops(DropCounts& counts) const noexcept {
  for (std::size_t i = 0; i < kReasons.size(); ++i) {
    counts[static_cast<std::size_t>(kReasons[i])] += dropped(static_cast<MergeDrop>(i));
  }
  for (const DropReason own :
       {DropReason::Malformed, DropReason::CopyFailed, DropReason::PayloadType, DropReason::NotTs,
        DropReason::OffsetLearning}) {
    counts[static_cast<std::size_t>(own)] += bin_.dropped(own);
  }
}

}  // namespace castgate
