// SPDX-License-Identifier: Apache-2.0
// Legs that are numbered otherwise than the stream: what leaves has one numbering.
#include "dataplane/base/rtp/header.h"
#include "dataplane/base/verdict/stream_verdict.h"
#include "dataplane/failover/failover_stage.h"
#include "dataplane/failover/udp_payload.h"
#include "dataplane/restamp/header_places.h"

namespace castgate {
namespace {

// What copies of a packet share, whoever numbered them: the bytes behind the numbers.
std::span<const std::byte> shared_payload(const SequenceSpec& sequence,
                                          std::span<const std::byte> payload) noexcept {
  constexpr std::size_t kExtendedHalf = 2;
  constexpr std::size_t kCmeHeader = 12;  // the sending time is the server's own
  std::size_t own = 0;
  if (sequence.is_rtp()) {
    payload = rtp_payload(payload);
    own = sequence.format == SequenceFormat::RtpExtended ? kExtendedHalf : 0;
  } else if (sequence.format == SequenceFormat::CmeMdp3) {
    own = kCmeHeader;
  } else {
    own = sequence.number().at + sequence.number().width;
  }
  return own < payload.size() ? payload.subspan(own) : std::span<const std::byte>{};
}

void write_numbers(rte_mbuf* packet, const PacketTag& tag, const SequenceSpec& sequence,
                   const PacketNumbers& numbers) noexcept {
  auto* frame = rte_pktmbuf_mtod(packet, std::byte*);
  const HeaderPlaces at = places_of(tag);
  if (!sequence.is_rtp()) return write_number(frame, at, sequence.number(), numbers.raw);
  std::size_t extended_at = 0;
  if (sequence.format == SequenceFormat::RtpExtended) {
    extended_at = rtp_header_length(frame + at.payload_at(), packet->data_len - at.payload_at());
  }
  RtpStamp stamp;
  stamp.ssrc = numbers.epoch;
  stamp.numbers = {static_cast<std::uint32_t>(numbers.raw), numbers.timestamp};
  write_rtp_numbers(frame, at, stamp, extended_at);
}

}  // namespace

// Is this leg's numbering the stream's? One that went its own way is so only where none is better.
bool FailoverStage::speaks(std::uint32_t stream, unsigned leg) const noexcept {
  const MergeWindow& window = *lanes_[stream].window;
  if (!window.leg(leg).diverged) return true;
  for (unsigned l = 0; l < window.leg_count(); ++l) {
    const LegTrack& other = window.leg(l);
    if (other.live && !other.diverged && !streams_[stream].offsets->learns(l)) return false;
  }
  return true;
}

void FailoverStage::offer_moved(Arrival arrival, Located where, const PacketTag& tag) noexcept {
  auto* packet = static_cast<rte_mbuf*>(arrival.packet);
  StreamOffsets& offsets = *streams_[tag.stream].offsets;
  const SequenceSpec& sequence = streams_[tag.stream].sequence;
  const auto payload = udp_payload(packet, tag);
  PacketNumbers numbers{.raw = where.raw, .epoch = where.epoch};
  if (sequence.is_rtp()) numbers.timestamp = load_be32(payload.data() + 4);
  const PacketNumbers received = numbers;
  const bool whole = (tag.flags & PacketTag::kCorrupt) == 0 && offsets.any_learns();
  const bool known = offsets.admit(
      tag.leg, numbers, whole ? shared_payload(sequence, payload) : std::span<const std::byte>{},
      speaks(tag.stream, tag.leg), arrival.now);
  tell_offsets(tag.stream, arrival.now);
  if (!known) return refuse(packet, tag, DropReason::OffsetLearning);
  if (numbers != received) write_numbers(packet, tag, sequence, numbers);
  arrival.raw = where.raw = numbers.raw;
  arrival.epoch = where.epoch = numbers.epoch;
  if (lanes_[tag.stream].ranges) return lanes_[tag.stream].window->offer_range(arrival, *this);
  offer_judged(arrival, where, tag);
}

void FailoverStage::tell_offsets(std::uint32_t stream, Instant now) noexcept {
  StreamOffsets::Changed changed;
  StreamOffsets& offsets = *streams_[stream].offsets;
  while (offsets.take_change(changed)) {
    Event event{.kind = EventKind::OffsetLost,
                .leg = static_cast<std::uint8_t>(changed.leg),
                .stream = static_cast<std::uint16_t>(stream),
                .epoch = epoch_of(stream),
                .at = now};
    if (changed.change.lost) events_.report(event);
    if (!changed.change.locked) continue;
    event.kind = EventKind::OffsetLocked;
    event.offset = offsets.view(changed.leg).offset.value_or(0);
    events_.report(event);
  }
}

std::span<const std::byte> FailoverStage::compared(std::uint32_t stream,
                                                   const rte_mbuf* packet) const noexcept {
  const auto payload = udp_payload(packet, tag_of(packet));
  const auto& offsets = streams_[stream].offsets;
  const bool own_headers = offsets && offsets->any_learns();
  return own_headers ? shared_payload(streams_[stream].sequence, payload) : payload;
}

void FailoverStage::copy_offsets(const FailoverStream& stream,
                                 StreamSnapshot& into) const noexcept {
  constexpr Nanoseconds kHeard{1'000'000'000};
  const StreamOffsets* offsets = stream.offsets.get();
  if (offsets == nullptr) return;
  into.window_bytes += offsets->memory_bytes();
  for (unsigned l = 0; l < into.legs.size(); ++l) {
    LegSnapshot& leg = into.legs[l];
    const StreamOffsets::View view = offsets->view(l);
    leg.offset = view.offset;
    if (view.offset || leg.state == LegState::LockedOut) continue;
    if (now_ - view.heard_at <= kHeard) leg.state = LegState::Learning;
  }
}

}  // namespace castgate
