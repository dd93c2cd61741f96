// SPDX-License-Identifier: Apache-2.0
// What ClientFan does with clients that cannot have a packet as it is.
#include <algorithm>
#include <cstring>

#include "dataplane/replicate/client_fan.h"
#include "dataplane/replicate/plain_copies.h"

namespace castgate {
namespace {

constexpr unsigned kMostFragments = 64;  // of one packet

// A fragment's IPv4 header in place of the whole packet's. `offset`: into the IP payload, bytes.
void make_fragment(std::uint8_t* ip, unsigned payload, unsigned offset, bool more) noexcept {
  constexpr unsigned kMore = 0x2000;
  store_be16(ip + 2, static_cast<std::uint16_t>(20 + payload));
  store_be16(ip + 6, static_cast<std::uint16_t>(offset / 8 | (more ? kMore : 0)));
  store_be16(ip + 10, 0);
  const auto checksum = static_cast<std::uint16_t>(~fold_sum(ones_sum(ip, 20)));
  std::memcpy(ip + 10, &checksum, sizeof checksum);
}

// IP payload of a fragment, but for the last one.
unsigned fragment_payload(const HeaderTemplate& headers) noexcept {
  return (headers.most_payload + 8u) & ~7u;
}

unsigned fragments_of(const HeaderTemplate& headers, unsigned payload) noexcept {
  const unsigned most = fragment_payload(headers);
  return (payload + 8 + most - 1) / most;
}

}  // namespace

void ClientFan::set_aside(Batch& batch, std::uint8_t slot, const FanJob& job) noexcept {
  const HeaderTemplate& headers = batch.chunk.headers[slot];
  if (headers.most_payload == 0) return miss(batch, slot, ClientDrop::NoNeighbour);
  if (headers.ttl == 0 && job.received.ttl <= 1) return miss(batch, slot, ClientDrop::TtlExpired);
  if (!batch.manner.fragments || headers.is_v6) return miss(batch, slot, ClientDrop::Mtu);
  batch.big_slots[batch.too_big++] = slot;
  const unsigned count = fragments_of(headers, batch.payload);
  if (count <= kMostFragments) batch.further += count - 1;
}

// Of both kinds of clients those stay whose rate lets the packet through.
void ClientFan::hold_to_rate(Batch& batch, const FanJob& job) noexcept {
  const auto over = [&](std::uint8_t slot) {
    const HeaderTemplate& headers = batch.chunk.headers[slot];
    const std::uint32_t bytes = batch.payload + std::uint32_t{headers.length} - headers.l3_at;
    if (batch.manner.rate.take((*batch.chunk.used_until)[slot], job.at, bytes)) return false;
    miss(batch, slot, ClientDrop::Quota);
    return true;
  };
  const auto held_to_it = [&](std::span<std::uint8_t> slots) {
    return static_cast<unsigned>(slots.size() - std::ranges::remove_if(slots, over).size());
  };
  batch.count = held_to_it({batch.slots.data(), batch.count});
  batch.too_big = held_to_it({batch.big_slots.data(), batch.too_big});
}

unsigned ClientFan::send_fragments(const FanJob& job, const Batch& batch,
                                   std::uint8_t slot) noexcept {
  if (batch.manner.sealing.is_on()) return send_sealed_fragments(job, batch, slot);
  const std::span<const std::uint8_t> payload(rte_pktmbuf_mtod(job.packet, const std::uint8_t*),
                                              job.packet->data_len);
  return cut(batch, slot, payload, job.received);
}

// IPv4 alone; each fragment is a copy. Identifications of clients at one address differ, though
// their counters run side by side.
unsigned ClientFan::cut(const Batch& batch, std::uint8_t slot,
                        std::span<const std::uint8_t> payload,
                        const ReceivedHeaders& received) noexcept {
  HeaderTemplate& headers = batch.chunk.headers[slot];
  ClientChunk::Rare& rare = batch.chunk.rare[slot];
  const unsigned most = fragment_payload(headers);
  const auto whole = static_cast<unsigned>(payload.size() + 8);
  const auto count = fragments_of(headers, static_cast<unsigned>(payload.size()));
  std::array<rte_mbuf*, kMostFragments> made;
  const auto lost = [&](ClientDrop why) {
    miss(batch, slot, why);
    return 0u;
  };
  if (count > kMostFragments) return lost(ClientDrop::Mtu);
  if (headers.length + most > copy_room_ ||
      rte_mempool_get_bulk(parts_.copies, reinterpret_cast<void**>(made.data()), count) != 0) {
    return lost(ClientDrop::CopyFailed);
  }
  parts_.created.add(count - 1);
  LongHeader start;
  const std::size_t before_udp = headers.length - 8u;
  write_headers(start.data() + headers.length, payload, received, headers, rare.long_header);
  std::uint8_t* id = start.data() + headers.l3_at + 4;
  const unsigned udp_port = load_be16(start.data() + before_udp + 2);
  store_be16(id, static_cast<std::uint16_t>(load_be16(id) + udp_port * 40503u));
  for (unsigned i = 0, offset = 0; i < count; ++i, offset += most) {
    const unsigned length = std::min(most, whole - offset);
    const auto frame = static_cast<std::uint32_t>(before_udp + length);
    CopyDescription(1, frame, frame, batch.tag).write(made[i], batch.first_slot + slot);
    auto* to = rte_pktmbuf_mtod(made[i], std::uint8_t*);
    const std::size_t udp = i == 0 ? 8 : 0;
    std::memcpy(to, start.data(), before_udp + udp);
    make_fragment(to + headers.l3_at, length, offset, i + 1 < count);
    std::memcpy(to + before_udp + udp, payload.data() + (offset + udp - 8), length - udp);
    count_sent(headers, rare.packets_high, rare.bytes_high, frame);
    batch.clients.bytes += frame;
    parts_.transmit.add(headers.port, made[i]);
  }
  batch.clients.packets += count;
  return count - 1;
}

}  // namespace castgate
