// SPDX-License-Identifier: Apache-2.0
// Where ClientFan makes the copies of one packet for some clients.
#include <algorithm>
#include <bit>
#include <cstring>

#include "dataplane/replicate/client_fan.h"
#include "dataplane/replicate/plain_copies.h"

namespace castgate {
namespace {

// What making a packet writes: both lines of the buffer's description, and where headers begin.
[[gnu::always_inline]] inline void prefetch(rte_mbuf* packet) noexcept {
  __builtin_prefetch(packet, 1);
  __builtin_prefetch(static_cast<const void*>(&packet->next), 1);
  __builtin_prefetch(room_of(packet), 1);
}

}  // namespace

// The next clients of the chunk, at most a batch; how many packets it took. Buffers are fetched
// while it is seen who can have the packet.
unsigned ClientFan::serve_some(FanStream& stream, FanJob& job, unsigned chunk) noexcept {
  ClientVector& clients = *stream.unicasts[job.unicast];
  const FanManner& manner = stream.manners[job.unicast];
  const auto payload = static_cast<std::uint16_t>(manner.sealing.sealed(job.packet->data_len));
  const auto there = static_cast<unsigned>(std::popcount(job.left));
  const unsigned taken = std::min({kBatch, budget_, there});
  Batch batch{.clients = clients,
              .chunk = clients.chunk(chunk),
              .manner = manner,
              .first_slot = stream.part << ClientTag::kSlotBits | chunk * ClientChunk::kClients,
              .shared = payload >= manner.copy_below,
              .payload = payload,
              .tag = {.stream = stream.index, .unicast = static_cast<std::uint16_t>(job.unicast)}};
  const bool buffers = take_buffers(batch, job, taken);
  const HeaderTemplate& any =
      batch.chunk.headers[static_cast<unsigned>(std::countr_zero(job.left))];
  std::uint64_t differences = 0;
  const bool expired = job.received.ttl <= 1;
  unsigned served = 0;
  for (unsigned end = taken; served < end; ++served) {
    const auto slot = static_cast<std::uint8_t>(std::countr_zero(job.left));
    job.left &= job.left - 1;
    const HeaderTemplate& headers = batch.chunk.headers[slot];
    differences |= headers.kind() ^ any.kind();
    batch.slots[batch.count] = slot;
    if (payload <= headers.most_payload && (headers.ttl != 0 || !expired)) [[likely]] {
      ++batch.count;
    } else {
      set_aside(batch, slot, job);
      end = std::min(taken, budget_ - std::min(budget_, batch.further));
    }
  }
  batch.plain = differences == 0 && any.is_plain();
  if (manner.rate.limits()) hold_to_rate(batch, job);
  if (!job.begun) --held_;
  parts_.created.add(served - (job.begun ? 0 : 1));
  job.begun = true;
  if (buffers) {
    send(job, batch);
    give_back(batch, taken);
  } else {
    for (unsigned i = 0; i < batch.count; ++i) miss(batch, batch.slots[i], ClientDrop::CopyFailed);
  }
  unsigned made = served;
  for (unsigned i = 0; i < batch.too_big; ++i) {
    made += send_fragments(job, batch, batch.big_slots[i]);
  }
  return made;
}

bool ClientFan::take_buffers(Batch& batch, const FanJob& job, unsigned count) noexcept {
  const unsigned room = batch.manner.sealing.room(job.packet->data_len) + HeaderTemplate::kLong;
  if (!batch.shared && room > copy_room_) return false;
  void** const objects = reinterpret_cast<void**>(batch.packets.data());
  if (rte_mempool_get_bulk(pool_of(batch), objects, count) != 0) [[unlikely]]
    return false;
  for (unsigned i = 0; i < count; ++i) prefetch(batch.packets[i]);
  return true;
}

// Buffers of clients that could not have the packet.
void ClientFan::give_back(const Batch& batch, unsigned taken) noexcept {
  if (batch.count == taken) [[likely]]
    return;
  rte_mempool_put_bulk(pool_of(batch),
                       reinterpret_cast<void* const*>(batch.packets.data() + batch.count),
                       taken - batch.count);
}

void ClientFan::miss(const Batch& batch, std::uint8_t slot, ClientDrop why,
                     DropReason reason) noexcept {
  ++batch.chunk.drops(slot, why);
  ++batch.clients.drops;
  parts_.bin.note(reason);
}

void ClientFan::send(FanJob& job, Batch& batch) noexcept {
  if (batch.count == 0) return;
  if (batch.manner.sealing.is_on()) return write_sealed(job, batch);
  if (batch.shared) rte_mbuf_refcnt_update(job.packet, static_cast<std::int16_t>(batch.count));
  if (!batch.plain) {
    write_any(job, batch);
  } else if (batch.shared) {
    write_plain<true>(job, batch);
  } else {
    write_plain<false>(job, batch);
  }
  batch.clients.packets += batch.count;
}

// All clients get the same headers but for their addresses.
template <bool kShared>
void ClientFan::write_plain(const FanJob& job, const Batch& batch) noexcept {
  const std::uint16_t payload = job.packet->data_len;
  const std::uint32_t length = payload + std::uint32_t{HeaderTemplate::kShort};
  const auto* bytes = rte_pktmbuf_mtod(job.packet, const std::uint8_t*);
  HeaderTemplate* const all = batch.chunk.headers.data();
  const unsigned port = all[batch.slots[0]].port;
  const PlainHeaders headers(payload, job.received, all[batch.slots[0]]);
  const CopyDescription description(kShared ? 2 : 1, length,
                                    kShared ? HeaderTemplate::kShort : length, batch.tag);
  for (unsigned i = 0; i < batch.count; ++i) {
    const std::uint8_t slot = batch.slots[i];
    HeaderTemplate& client = all[slot];
    rte_mbuf* packet = batch.packets[i];
    std::uint8_t* to = room_of(packet);
    description.write(packet, batch.first_slot + slot);
    headers.write(to, client);
    if constexpr (kShared) {
      packet->next = job.packet;
    } else {
      std::memcpy(to + HeaderTemplate::kShort, bytes, payload);
    }
    ClientChunk::Rare& rare = batch.chunk.rare[slot];
    count_sent(client, rare.packets_high, rare.bytes_high, length);
  }
  batch.clients.bytes += std::uint64_t{batch.count} * length;
  parts_.transmit.add(port, {batch.packets.data(), batch.count});
}

// Tags, IPv6, a TTL of the packet's own: each client may be another.
void ClientFan::write_any(FanJob& job, const Batch& batch) noexcept {
  const std::uint16_t payload = job.packet->data_len;
  const auto* bytes = rte_pktmbuf_mtod(job.packet, const std::uint8_t*);
  ReceivedHeaders over_v6 = job.received;
  for (unsigned i = 0; i < batch.count; ++i) {
    const std::uint8_t slot = batch.slots[i];
    HeaderTemplate& headers = batch.chunk.headers[slot];
    ClientChunk::Rare& rare = batch.chunk.rare[slot];
    rte_mbuf* packet = batch.packets[i];
    const std::uint32_t length = std::uint32_t{headers.length} + payload;
    const CopyDescription description(batch.shared ? 2 : 1, length,
                                      batch.shared ? headers.length : length, batch.tag);
    description.write(packet, batch.first_slot + slot);
    std::uint8_t* end = room_of(packet) + headers.length;
    if (batch.shared) {
      packet->next = job.packet;
    } else {
      std::memcpy(end, bytes, payload);
    }
    if (headers.is_v6 && over_v6.udp_checksum == 0) {  // once a packet
      if (job.checksum_for_v6 == 0)
        job.checksum_for_v6 = with_checksum(job.received, {bytes, payload}).udp_checksum;
      over_v6.udp_checksum = job.checksum_for_v6;
    }
    write_headers(end, {bytes, payload}, headers.is_v6 ? over_v6 : job.received, headers,
                  rare.long_header);
    count_sent(headers, rare.packets_high, rare.bytes_high, length);
    batch.clients.bytes += length;
    parts_.transmit.add(headers.port, packet);
  }
}

}  // namespace castgate
