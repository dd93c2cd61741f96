// SPDX-License-Identifier: Apache-2.0
#include "dataplane/restamp/restamp_stage.h"

#include <algorithm>
#include <array>

#include "dataplane/base/restamp/media_clock.h"
#include "dataplane/restamp/header_places.h"

namespace castgate {
namespace {

// A longer gap would look like a source's restart to a receiver (RFC 3550 A.1, MAX_DROPOUT).
constexpr std::uint64_t kMostSkipped = 2'999;

}  // namespace

RestampStage::Face RestampStage::make_face(const StreamSpec& stream) {
  Face made;
  if (!is_restamped(stream)) return made;
  const FailoverSpec& failover = stream.failover;
  const RestampSpec& restamp = stream.restamp;
  if (restamp.rtp == RtpFace::Strip) {
    made.kind = Kind::Strip;
  } else if (restamp.rtp == RtpFace::Insert) {
    made.kind = Kind::Insert;
    made.insert = std::make_unique<Insert>(
        Insert{.stamp = {restamp.payload_type, ssrc_of(stream), {}},
               .clock_rate = restamp.clock_rate_hz.value_or(rtp_clock_rate(restamp.payload_type)),
               .sees_gaps = failover.release != Release::Arrival,
               .one_a_packet = !stream.sequence.counts_messages()});
  } else {
    const SplicerConfig config{.sequence_bits = stream.sequence.width(),
                               .clock_rate = restamp.clock_rate_hz.value_or(0),
                               .max_rate_pps = failover.max_rate_pps,
                               .max_skew = longest_hold(failover),
                               .even = failover.release == Release::Playout};
    made.kind = Kind::Splice;
    made.splice =
        std::make_unique<Splice>(Splice{RtpSplicer(config), ssrc_of(stream),
                                        stream.sequence.format == SequenceFormat::RtpExtended});
  }
  return made;
}

RestampStage::RestampStage(const Spec& spec, const std::vector<bool>& mine, Stage& next,
                           std::size_t streams)
    : next_(&next), kinds_(std::max(spec.streams.size(), streams)), faces_(kinds_.size()) {
  for (std::size_t s = 0; s < spec.streams.size(); ++s) {
    if (!mine[s]) continue;
    faces_[s] = make_face(spec.streams[s]);
    kinds_[s] = faces_[s].kind;
  }
}

void RestampStage::install(std::size_t stream, Face& face) noexcept {
  Face& own = faces_[stream];
  if (own.splice && face.splice) face.splice->splicer.inherit(own.splice->splicer);
  if (own.insert && face.insert) face.insert->stamp.numbers = own.insert->stamp.numbers;
  std::swap(own, face);
  kinds_[stream] = own.kind;
}

bool RestampStage::is_needed(const Spec& spec, const std::vector<bool>& mine) noexcept {
  for (std::size_t s = 0; s < spec.streams.size(); ++s) {
    if (mine[s] && is_restamped(spec.streams[s])) return true;
  }
  return false;
}

void RestampStage::process(std::span<rte_mbuf* const> burst, Instant now) noexcept {
  CG_CHECK(burst.size() <= kBurst);
  std::array<rte_mbuf*, kBurst> passed;
  std::size_t count = 0;
  for (rte_mbuf* packet : burst) {
    const PacketTag tag = tag_of(packet);
    const bool passes = kinds_[tag.stream] == Kind::None || change(packet, tag, now);
    if (passes) passed[count++] = packet;
  }
  if (count != 0) next_->process({passed.data(), count}, now);
  bin_.flush();
}

bool RestampStage::change(rte_mbuf* packet, const PacketTag& tag, Instant now) noexcept {
  const HeaderPlaces at = places_of(tag);
  Face& face = faces_[tag.stream];
  if (face.splice) return splice(packet, at, *face.splice, now);
  if (face.insert) return insert(packet, at, *face.insert, now);
  return strip(packet, at);
}

// The window has located the packet: its header is whole.
bool RestampStage::splice(rte_mbuf* packet, const HeaderPlaces& at, Splice& with,
                          Instant now) noexcept {
  auto* frame = rte_pktmbuf_mtod(packet, std::byte*);
  const std::byte* payload = frame + at.payload_at();
  constexpr unsigned kPayloadType = 0x7f;
  RtpStamp stamp;
  stamp.ssrc = with.ssrc;
  stamp.payload_type =
      static_cast<std::uint8_t>(std::to_integer<unsigned>(payload[1]) & kPayloadType);
  stamp.numbers = {load_be16(payload + 2), load_be32(payload + 4)};
  std::size_t extended_at = 0;
  if (with.extended) {
    extended_at = rtp_header_length(payload, packet->data_len - at.payload_at());
    stamp.numbers.sequence |= std::uint32_t{load_be16(payload + extended_at)} << 16;
  }
  if (!with.splicer.splice(stamp.numbers, stamp.payload_type, now)) [[unlikely]] {
    bin_.drop(packet, DropReason::BeforeEpoch);
    return false;
  }
  write_rtp_numbers(frame, at, stamp, extended_at);
  return true;
}

bool RestampStage::insert(rte_mbuf* packet, const HeaderPlaces& at, Insert& with,
                          Instant now) noexcept {
  if (rte_pktmbuf_headroom(packet) < kRtpHeader || packet->data_len > UINT16_MAX - kRtpHeader)
      [[unlikely]] {
    bin_.drop(packet, DropReason::NoHeadroom);
    return false;
  }
  with.stamp.numbers.timestamp =
      static_cast<std::uint32_t>(media_ticks(Nanoseconds{now.ns}, with.clock_rate));
  insert_rtp(rte_pktmbuf_mtod(packet, std::byte*), at, with.stamp);
  ++with.stamp.numbers.sequence;
  packet->data_off = static_cast<std::uint16_t>(packet->data_off - kRtpHeader);
  packet->data_len = static_cast<std::uint16_t>(packet->data_len + kRtpHeader);
  packet->pkt_len = packet->data_len;
  return true;
}

bool RestampStage::strip(rte_mbuf* packet, const HeaderPlaces& at) noexcept {
  auto* frame = rte_pktmbuf_mtod(packet, std::byte*);
  const std::size_t length = packet->data_len - at.payload_at();
  RtpFrame rtp;
  if (!find_rtp_frame(frame + at.payload_at(), length, rtp) || rtp.header + rtp.padding == length)
      [[unlikely]] {
    bin_.drop(packet, DropReason::NoRtpPayload);
    return false;
  }
  strip_rtp(frame, at, length, rtp);
  packet->data_off = static_cast<std::uint16_t>(packet->data_off + rtp.header);
  packet->data_len = static_cast<std::uint16_t>(packet->data_len - rtp.header - rtp.padding);
  packet->pkt_len = packet->data_len;
  return true;
}

void RestampStage::begin_epoch(unsigned stream, Instant came) noexcept {
  if (faces_[stream].splice) faces_[stream].splice->splicer.begin_epoch(came);
}

// A number for each packet that is missing; one where a packet holds any number of positions.
void RestampStage::skip(unsigned stream, std::uint64_t positions) noexcept {
  if (!faces_[stream].insert || !faces_[stream].insert->sees_gaps) return;
  Insert& with = *faces_[stream].insert;
  with.stamp.numbers.sequence += static_cast<std::uint32_t>(
      with.one_a_packet ? std::min(positions, kMostSkipped) : std::uint64_t{1});
}

}  // namespace castgate
