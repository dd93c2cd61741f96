// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replicate/client_fan.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "dataplane/replicate/client_tag.h"

namespace castgate {
namespace {

std::uint8_t* data_of(rte_mbuf* packet) noexcept {
  return rte_pktmbuf_mtod(packet, std::uint8_t*);
}

[[gnu::always_inline]] inline void count_sent(HeaderTemplate& headers, ClientChunk::Rare& rare,
                                              std::uint32_t bytes) noexcept {
  if (++headers.packets == 0) [[unlikely]]
    ++rare.packets_high;
  headers.bytes += bytes;
  if (headers.bytes < bytes) [[unlikely]]
    ++rare.bytes_high;
}

constexpr unsigned kAhead = 6;  // packets

// What making a packet writes: both lines of the buffer's description, and where headers begin.
[[gnu::always_inline]] inline void prefetch(rte_mbuf* packet) noexcept {
  __builtin_prefetch(packet, 1);
  __builtin_prefetch(static_cast<const void*>(&packet->next), 1);
  __builtin_prefetch(
      reinterpret_cast<std::uint8_t*>(packet) + sizeof(rte_mbuf) + RTE_PKTMBUF_HEADROOM, 1);
}

// A buffer as it comes from its pool: one segment, one owner, no offload.
[[gnu::always_inline]] inline void make_packet(rte_mbuf* packet, std::uint16_t segments,
                                               const ClientTag& tag) noexcept {
  const std::uint64_t fields = RTE_PKTMBUF_HEADROOM | std::uint64_t{1} << 16 |
                               std::uint64_t{segments} << 32 |
                               std::uint64_t{RTE_MBUF_PORT_INVALID} << 48;
  std::memcpy(&packet->rearm_data, &fields, sizeof fields);
  packet->ol_flags = 0;
  set_client_tag(packet, tag);
}

}  // namespace

std::unique_ptr<FanStream> make_fan_stream(
    const StreamSpec& stream, const std::vector<std::shared_ptr<ClientVector>>& clients,
    std::span<Port* const> ports, std::uint16_t index) {
  auto made = std::make_unique<FanStream>();
  made->index = index;
  made->unicasts = clients;
  for (const UnicastSpec& unicast : stream.unicasts) {
    const bool chains = ports[unicast.port]->facts().multi_segment_tx;
    made->copy_below.push_back(chains ? unicast.copy_threshold : UINT32_MAX);
  }
  return made;
}

// What still waits is freed; finish() serves it.
ClientFan::~ClientFan() {
  for (; first_ != nullptr; first_ = first_->next) {
    for (; first_->waiting != 0; --first_->waiting) {
      rte_pktmbuf_free(first_->jobs[first_->oldest].packet);
      first_->oldest = (first_->oldest + 1) % FanStream::kMostJobs;
    }
  }
}

void ClientFan::offer(FanStream& stream, rte_mbuf* packet,
                      const ReceivedHeaders& received) noexcept {
  if (stream.waiting == FanStream::kMostJobs) [[unlikely]] {
    for (const auto& clients : stream.unicasts) ++clients->backlog;
    return parts_.bin.drop(packet, DropReason::Backlog);
  }
  FanJob& job = stream.jobs[(stream.oldest + stream.waiting) % FanStream::kMostJobs];
  job = {.packet = packet, .received = received, .first = stream.turn++};
  ++held_;
  if (stream.waiting++ != 0) return;
  stream.next = nullptr;
  (first_ == nullptr ? first_ : last_->next) = &stream;
  last_ = &stream;
  if (first_ == &stream && budget_ != 0) run(stream);
}

// The streams take turns, each for as long as its oldest packets and the budget last.
void ClientFan::run(FanStream& stream) noexcept {
  while (stream.waiting != 0) {
    FanJob& job = stream.jobs[stream.oldest];
    if (!advance(stream, job)) break;
    complete(stream, job);
  }
  first_ = stream.next;
  if (first_ == nullptr) last_ = nullptr;
  if (stream.waiting == 0) return;
  stream.next = nullptr;
  (first_ == nullptr ? first_ : last_->next) = &stream;
  last_ = &stream;
}

void ClientFan::work() noexcept {
  while (first_ != nullptr && budget_ != 0) run(*first_);
  budget_ = kCopiesPerTurn;
}

void ClientFan::finish() noexcept {
  while (first_ != nullptr) {
    budget_ = kCopiesPerTurn;
    run(*first_);
  }
}

void ClientFan::finish(FanStream& stream) noexcept {
  while (stream.waiting != 0) {
    budget_ = kCopiesPerTurn;
    run(*first_);
  }
}

void ClientFan::complete(FanStream& stream, FanJob& job) noexcept {
  if (job.begun) {
    rte_pktmbuf_free(job.packet);
  } else {
    --held_;
    parts_.bin.drop(job.packet, DropReason::NoClient);
  }
  stream.oldest = (stream.oldest + 1) % FanStream::kMostJobs;
  --stream.waiting;
}

// True when every client was served; false where the budget ended.
bool ClientFan::advance(FanStream& stream, FanJob& job) noexcept {
  for (; job.unicast < stream.unicasts.size(); ++job.unicast) {
    if (!serve_unicast(stream, job)) return false;
    job.chunks = 0;
    job.done = 0;
  }
  return true;
}

bool ClientFan::serve_unicast(FanStream& stream, FanJob& job) noexcept {
  ClientVector& clients = *stream.unicasts[job.unicast];
  if (job.chunks == 0) job.chunks = clients.chunks();
  for (; job.done < job.chunks; ++job.done) {
    const unsigned chunk = (job.first + job.done) % job.chunks;
    const std::uint64_t present = clients.present(chunk);
    if (!job.at_chunk) job.left = present;
    job.left &= present;  // some may have left meanwhile
    job.at_chunk = true;
    while (job.left != 0) {
      if (budget_ == 0) return false;
      budget_ -= serve_some(stream, job, chunk);
    }
    job.at_chunk = false;
  }
  return true;
}

// The next clients of the chunk, at most a batch; how many.
unsigned ClientFan::serve_some(FanStream& stream, FanJob& job, unsigned chunk) noexcept {
  ClientVector& clients = *stream.unicasts[job.unicast];
  std::array<std::uint8_t, kBatch> slots;
  const unsigned most = std::min(kBatch, budget_);
  const auto payload = job.packet->data_len;
  const bool expired = job.received.ttl <= 1;
  unsigned count = 0;
  unsigned taken = 0;
  Batch batch{.clients = clients,
              .chunk = clients.chunk(chunk),
              .slots = {},
              .first_slot = chunk * ClientChunk::kClients,
              .shared = payload >= stream.copy_below[job.unicast]};
  for (; job.left != 0 && taken < most; ++taken) {
    const auto slot = static_cast<std::uint8_t>(std::countr_zero(job.left));
    job.left &= job.left - 1;
    const HeaderTemplate& headers = batch.chunk.headers[slot];
    slots[count] = slot;
    if (payload <= headers.most_payload && (headers.ttl != 0 || !expired)) [[likely]] {
      ++count;
    } else {
      miss(batch, slot, headers.most_payload == 0 ? ClientDrop::NoNeighbour : ClientDrop::Mtu);
    }
  }
  batch.slots = {slots.data(), count};
  if (!job.begun) --held_;
  parts_.created.add(taken - (job.begun ? 0 : 1));
  job.begun = true;
  if (count != 0) send(stream, job, batch);
  return taken;
}

void ClientFan::miss(const Batch& batch, std::uint8_t slot, ClientDrop why) noexcept {
  ++batch.chunk.rare[slot].drops[static_cast<std::size_t>(why)];
  ++batch.clients.drops;
  parts_.bin.note(drop_reason(why));
}

void ClientFan::send(const FanStream& stream, const FanJob& job, const Batch& batch) noexcept {
  std::array<rte_mbuf*, kBatch> made;
  const auto count = static_cast<unsigned>(batch.slots.size());
  const std::uint16_t payload = job.packet->data_len;
  const bool fits = batch.shared || payload + HeaderTemplate::kLong <= copy_room_;
  rte_mempool* pool = batch.shared ? parts_.heads : parts_.copies;
  void** const objects = reinterpret_cast<void**>(made.data());
  if (!fits || rte_mempool_get_bulk(pool, objects, count) != 0) [[unlikely]] {
    for (const std::uint8_t slot : batch.slots) miss(batch, slot, ClientDrop::CopyFailed);
    return;
  }
  const std::uint8_t* bytes = data_of(job.packet);
  if (batch.shared) rte_mbuf_refcnt_update(job.packet, static_cast<std::int16_t>(count));
  std::uint64_t sent_bytes = 0;
  for (unsigned i = 0; i < count; ++i) {
    prefetch(made[std::min(i + kAhead, count - 1)]);
    const std::uint8_t slot = batch.slots[i];
    HeaderTemplate& headers = batch.chunk.headers[slot];
    ClientChunk::Rare& rare = batch.chunk.rare[slot];
    rte_mbuf* packet = made[i];
    make_packet(packet, batch.shared ? 2 : 1,
                {.stream = stream.index,
                 .unicast = static_cast<std::uint16_t>(job.unicast),
                 .slot = batch.first_slot + slot});
    const std::uint8_t length = headers.length;
    std::uint8_t* end =
        static_cast<std::uint8_t*>(packet->buf_addr) + RTE_PKTMBUF_HEADROOM + length;
    packet->pkt_len = std::uint32_t{length} + payload;
    if (batch.shared) {
      packet->data_len = length;
      packet->next = job.packet;
    } else {
      packet->data_len = static_cast<std::uint16_t>(packet->pkt_len);
      std::memcpy(end, bytes, payload);
    }
    write_headers(end, {bytes, payload}, job.received, headers, rare.long_header);
    count_sent(headers, rare, packet->pkt_len);
    sent_bytes += packet->pkt_len;
    parts_.transmit.add(headers.port, packet);
  }
  batch.clients.packets += count;
  batch.clients.bytes += sent_bytes;
}

}  // namespace castgate
