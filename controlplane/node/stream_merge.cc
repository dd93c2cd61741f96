// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/stream_merge.h"

#include <algorithm>
#include <cstring>

#include "dataplane/contract/locate.h"

namespace castgate {
namespace {

// The stream as the appliance would describe it. Where a relay knows where the numbers stand and
// does not tell, copies are told by their bytes.
StreamSpec describe(SequenceFormat format, Nanoseconds max_skew) {
  StreamSpec stream;
  stream.sequence.format = format == SequenceFormat::Generic ? SequenceFormat::Fingerprint : format;
  stream.failover.max_skew = max_skew;
  return stream;
}

bool is_rtp(SequenceFormat format) {
  return format == SequenceFormat::Rtp || format == SequenceFormat::RtpExtended;
}

}  // namespace

std::uint64_t StreamMerge::held_most(SequenceFormat format, Nanoseconds max_skew) {
  return window_positions(describe(format, max_skew)) / 2;
}

StreamMerge::StreamMerge(const Config& config, PacketStore& store, PacketSink& sink)
    : config_(config), store_(store), sink_(sink) {
  const StreamSpec stream = describe(config.format, config.max_skew);
  config_.format = stream.sequence.format;
  ranges_ = stream.sequence.counts_messages();
  MergeConfig merge;
  merge.window = window_positions(stream);
  merge.max_skew = config.max_skew;
  merge.legs = config.legs;
  merge.ranges = ranges_;
  merge.trim = stream.sequence.has_lengths();
  // What a batch brings must always find a packet.
  const std::uint64_t reserve = std::min<std::uint64_t>(store.available() / 2, 512);
  limit_held(store.available() - reserve);
  if (config_.format == SequenceFormat::Fingerprint) {
    unnumbered_ = std::make_unique<FingerprintMerge>(merge);
    fingerprint_ = std::make_unique<Fingerprint>(config.seed);
    return;
  }
  merge.width = stream.sequence.width();
  window_ = std::make_unique<MergeWindow>(merge);
  most_positions_ =
      static_cast<std::uint16_t>(std::min<std::uint64_t>(window_->window() / 4, Located::kEnd - 1));
}

StreamMerge::~StreamMerge() {
  config_.most = 0;  // nothing leaves any more
  drain(Instant{});
}

bool StreamMerge::locate(const NodePacket& packet, Located& where) const noexcept {
  if (unnumbered_) {
    where = {fingerprint_->of(packet.bytes.data(), packet.length), 0};
    return true;
  }
  return locate_position(config_.format, {}, most_positions_, packet.bytes.data(), packet.length,
                         where);
}

template <class Merge>
void StreamMerge::rearm(Merge& merge) noexcept {
  if (merge.wants_arming()) armed_ = std::min(armed_, merge.arm());
}

void StreamMerge::offer(NodePacket* packet, unsigned leg, Instant now) noexcept {
  Located where;
  if (!locate(*packet, where)) {
    ++malformed_;
    store_.give_back(packet);
    return;
  }
  const Arrival arrival{packet, where.raw, where.epoch, packet->length, leg, now, where.count};
  if (unnumbered_) {
    unnumbered_->offer(arrival, *this);
    return rearm(*unnumbered_);
  }
  if (ranges_) {
    window_->offer_range(arrival, *this);
  } else {
    window_->offer(arrival, *this);
  }
  rearm(*window_);
}

void StreamMerge::tick(Instant now) noexcept {
  while (armed_ <= now) {
    armed_ = kNever;
    if (unnumbered_) {
      unnumbered_->tick(now, *this);
      rearm(*unnumbered_);
    } else {
      window_->tick(now, *this);
      rearm(*window_);
    }
    if (armed_ <= now) armed_ = now + Nanoseconds{1};
  }
  flush();
}

void StreamMerge::drain(Instant now) noexcept {
  if (unnumbered_) {
    unnumbered_->drain(now, *this);
  } else {
    window_->drain(now, *this);
  }
  flush();
}

PacketSink::Payload StreamMerge::leaving(const NodePacket& packet) noexcept {
  const auto whole = packet.payload();
  if (!config_.media || !is_rtp(config_.format)) return whole;
  RtpFrame frame;
  if (!find_rtp_frame(whole.data(), whole.size(), frame)) {
    ++malformed_;
    return {};
  }
  return whole.subspan(frame.header, whole.size() - frame.header - frame.padding);
}

void StreamMerge::pass_on(std::span<void* const> packets) noexcept {
  std::array<PacketSink::Payload, kGather> payloads;
  static_assert(kGather <= PacketSink::kMost);
  std::size_t count = 0;
  for (void* pointer : packets) {
    if (complete()) break;
    const auto payload = leaving(*static_cast<NodePacket*>(pointer));
    ++packets_;
    bytes_ += payload.size();
    if (!payload.empty() || !config_.media) payloads[count++] = payload;
  }
  if (count != 0) sink_.write(std::span(payloads).first(count));
  free(packets);
}

void StreamMerge::free(std::span<void* const> packets) noexcept {
  for (void* pointer : packets) store_.give_back(static_cast<NodePacket*>(pointer));
}

std::uint64_t StreamMerge::content(std::uint32_t /*tag*/, void* packet) noexcept {
  const auto* of = static_cast<const NodePacket*>(packet);
  return fingerprint_ ? fingerprint_->of(of->bytes.data(), of->length) : 0;
}

void StreamMerge::cut(std::uint32_t /*tag*/, void* packet, unsigned skip, unsigned count) noexcept {
  auto* of = static_cast<NodePacket*>(packet);
  const std::size_t length = config_.format == SequenceFormat::IexTp
                                 ? cut_iex_tp(of->bytes.data(), of->length, skip, count)
                                 : cut_moldudp64(of->bytes.data(), of->length, skip, count);
  if (length != 0) of->length = static_cast<std::uint32_t>(length);  // else it goes as it is
}

void* StreamMerge::copy(std::uint32_t /*tag*/, void* packet) noexcept {
  const auto* of = static_cast<const NodePacket*>(packet);
  NodePacket* made = store_.take();
  if (made == nullptr) return nullptr;
  made->length = of->length;
  std::memcpy(made->bytes.data(), of->bytes.data(), of->length);
  return made;
}

template <class Merge>
void StreamMerge::add_sums(const Merge& merge, MergeSums& sums) const noexcept {
  sums.lost = merge.totals().unrecovered;
  for (unsigned i = 0; i < config_.legs; ++i) {
    const LegTrack& track = merge.leg(i);
    sums.legs[i] = {merge.leg_packets(i), track.lost, track.late + track.late_after_release,
                    track.live};
  }
}

MergeSums StreamMerge::sums() const noexcept {
  MergeSums sums;
  sums.packets = packets_;
  sums.bytes = bytes_;
  sums.malformed = malformed_;
  sums.duplicates = dropped(MergeDrop::Redundant) + dropped(MergeDrop::DuplicateSameLeg);
  sums.late = dropped(MergeDrop::Late) + dropped(MergeDrop::LateAfterRelease);
  sums.other = dropped(MergeDrop::WildSequence) + dropped(MergeDrop::OtherEpoch) +
               dropped(MergeDrop::LockedOut);
  if (unnumbered_) {
    add_sums(*unnumbered_, sums);
  } else {
    add_sums(*window_, sums);
  }
  return sums;
}

}  // namespace castgate
