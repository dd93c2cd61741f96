// SPDX-License-Identifier: Apache-2.0
#include "dataplane/capture/trace_tap.h"

#include <algorithm>

#include "dataplane/capture/capture_filter.h"
#include "dataplane/stage.h"

namespace castgate {
namespace {

std::vector<std::byte> bytes_of(const rte_mbuf* packet) {
  std::vector<std::byte> bytes;
  for_each_piece(packet, packet->pkt_len, [&](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  });
  return bytes;
}

}  // namespace

TraceTap::TraceTap(const Spec& spec, const TraceRequest& request, const std::vector<Event>& events,
                   Ways ways)
    : Tap(kAllCaptureStages),
      spec_(spec),
      request_(request),
      events_(events),
      ways_(std::move(ways)),
      numbers_(spec.ports.size()),
      begun_(spec.streams.size()) {}

void TraceTap::arrive(unsigned port, const rte_mbuf* packet, Instant now) {
  const std::uint64_t number = ++numbers_[port];
  arriving_ = notes_.size();
  events_before_ = events_.size();
  ++moment_;
  Note& note = notes_.emplace_back();
  note.about.port = port;
  note.about.packet = number;
  note.about.arrived = now;
  if (packet != nullptr) note_of_[packet] = arriving_;
  if (port != request_.port || number != request_.packet) return;
  watched_ = arriving_;
  trace_.arrived = now;
  if (packet != nullptr) trace_.frame = bytes_of(packet);
}

void TraceTap::no_arrival(bool at_end) noexcept {
  arriving_ = kNone;
  events_before_ = events_.size();
  ++moment_;
  at_end_ = at_end;
}

void TraceTap::see(const Sighting& where, std::span<rte_mbuf* const> packets) noexcept {
  for (const rte_mbuf* packet : packets) see_one(where, packet);
}

void TraceTap::see_one(const Sighting& where, const rte_mbuf* packet) {
  switch (where.stage) {
    case CaptureStage::Rx:
    case CaptureStage::Restamp:
      return;
    case CaptureStage::Classify:
      return classify(packet);
    case CaptureStage::Failover:
      return release(packet);
    case CaptureStage::Drops:
      return drop(packet, where.reason);
    case CaptureStage::Transmit:
      break;
  }
  if (passing_ != kNone && is_watched(passing_)) {
    trace_.sent.push_back({where.port, now(), bytes_of(packet)});
  }
}

void TraceTap::classify(const rte_mbuf* packet) {
  const auto found = note_of_.find(packet);
  if (found == note_of_.end()) return;
  Note& note = notes_[found->second];
  const PacketTag tag = tag_of(packet);
  note.stream = tag.stream;
  note.about.leg = tag.leg;
  note.located = ways_.locate(packet, note.about.where);
  if (note.located) {
    at_position_.emplace(Key{tag.stream, note.about.where.epoch, note.about.where.raw},
                         found->second);
  }
  if (!is_watched(found->second)) return;
  trace_.classified = true;
  trace_.stream = tag.stream;
  trace_.leg = tag.leg;
  if (note.located) trace_.where = note.about.where;
}

void TraceTap::release(const rte_mbuf* packet) {
  const auto found = note_of_.find(packet);
  passing_ = found == note_of_.end() ? kNone : found->second;
  if (passing_ == kNone) return;
  Note& note = notes_[passing_];
  note_of_.erase(found);
  if (!note.about.released) note.about.released = now();
  // What leaves in the first moment leaves together.
  std::uint64_t& begun = begun_[note.stream];
  if (begun == 0) begun = moment_;
  if (is_watched(passing_) && !trace_.released) release_watched(note);
}

void TraceTap::release_watched(const Note& note) {
  trace_.released = now();
  trace_.at_end = at_end_;
  trace_.first_of_stream = begun_[note.stream] == moment_;
  std::copy_if(events_.begin() + static_cast<std::ptrdiff_t>(events_before_), events_.end(),
               std::back_inserter(trace_.events),
               [&](const Event& event) { return event.stream == note.stream; });
  if (arriving_ != kNone && arriving_ != watched_) trace_.freed_by = notes_[arriving_].about;
}

void TraceTap::passed_on() noexcept {
  ways_.flush();
  passing_ = kNone;
}

void TraceTap::copied(const rte_mbuf* from, const rte_mbuf* to) noexcept {
  const auto found = note_of_.find(from);
  if (found != note_of_.end()) note_of_[to] = found->second;
}

// Shown inside of replicate a packet may live on: an output got nothing of it.
void TraceTap::drop(const rte_mbuf* packet, DropReason reason) {
  if (passing_ != kNone) {
    if (is_watched(passing_)) trace_.unsent.push_back(reason);
    return;
  }
  const auto found = note_of_.find(packet);
  if (found == note_of_.end()) return;
  const std::size_t index = found->second;
  notes_[index].dropped = true;
  note_of_.erase(found);
  if (!is_watched(index) || trace_.released) return;
  trace_.dropped = reason;
  trace_.dropped_at = now();
  if (kDropReasonTable[static_cast<std::size_t>(reason)].stage == "open") {
    // Known, but not read before it is opened.
    const PacketTag tag = tag_of(packet);
    trace_.classified = true;
    trace_.stream = tag.stream;
    trace_.leg = tag.leg;
  }
  find_rivals();
}

bool TraceTap::covers(const Note& other, const Note& mine) const {
  const auto count = [](const Note& note) {
    const std::uint16_t positions = note.about.where.count;
    return positions == Located::kEnd ? std::uint64_t{0} : std::uint64_t{positions};
  };
  const std::uint64_t from = other.about.where.raw;
  return from <= mine.about.where.raw && mine.about.where.raw < from + count(other);
}

// The newest copy of this position that is kept or gone, and the gap that gave it up.
void TraceTap::find_rivals() {
  constexpr std::uint64_t kMostPositions = 65536;  // of one packet
  const Note& mine = notes_[watched_];
  if (!mine.located) return;
  const std::uint64_t raw = mine.about.where.raw;
  const std::uint32_t epoch = mine.about.where.epoch;
  const std::uint64_t lowest = raw - std::min(raw, kMostPositions);
  const auto end = at_position_.upper_bound({mine.stream, epoch, raw});
  std::size_t best = kNone;
  for (auto it = at_position_.lower_bound({mine.stream, epoch, lowest}); it != end; ++it) {
    const Note& other = notes_[it->second];
    if (it->second == watched_ || other.dropped || !covers(other, mine)) continue;
    if (best == kNone || it->second > best) best = it->second;
  }
  if (best != kNone) winner_ = best;

  const unsigned width = spec_.streams[mine.stream].sequence.width();
  const std::uint64_t bits = width >= 64 ? ~0ull : (1ull << width) - 1;
  for (const Event& event : events_) {
    if (event.kind != EventKind::Gap || event.stream != mine.stream) continue;
    if (((raw - event.from) & bits) <= event.to - event.from) trace_.given_up = event;
  }
}

const PacketTrace& TraceTap::finish() {
  trace_.packets = numbers_[request_.port];
  if (winner_ != kNone) trace_.winner = notes_[winner_].about;
  return trace_;
}

}  // namespace castgate
