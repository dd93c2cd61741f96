// SPDX-License-Identifier: Apache-2.0
// Where ClientFan seals one packet for clients who each have a key of their own.
#include <bit>
#include <utility>

#include "dataplane/replicate/client_fan.h"
#include "dataplane/replicate/plain_copies.h"

namespace castgate {
namespace {

// The tag says more than the UDP checksum; over IPv6, where there must be one, it is summed.
ReceivedHeaders unsummed(const ReceivedHeaders& received) noexcept {
  ReceivedHeaders made = received;
  made.udp_checksum = 0;
  return made;
}

// Keys of those who come next, if they are of the same chunk.
template <class Batch>
void fetch_next(const FanJob& job, const Batch& batch) noexcept {
  std::uint64_t left = job.left;
  for (unsigned i = 0; i < ClientSealer::kAhead && left != 0; ++i, left &= left - 1) {
    const auto slot = static_cast<unsigned>(std::countr_zero(left));
    ClientSealer::fetch(batch.manner.sealing, (*batch.chunk.seals)[slot]);
  }
}

std::span<const std::byte> clear_of(const FanJob& job) noexcept {
  return {rte_pktmbuf_mtod(job.packet, const std::byte*), job.packet->data_len};
}

}  // namespace

// The clear packet never leaves: what could not be sealed was not copied.
void ClientFan::write_sealed(const FanJob& job, Batch& batch) noexcept {
  std::array<ClientSealer::Copy, kBatch> copies;
  for (unsigned i = 0; i < batch.count; ++i) {
    const std::uint8_t slot = batch.slots[i];
    copies[i] = {
        &(*batch.chunk.seals)[slot],
        reinterpret_cast<std::byte*>(room_of(batch.packets[i])) + batch.chunk.headers[slot].length};
  }
  const auto why = sealer_->seal(batch.manner.sealing, clear_of(job), {copies.data(), batch.count});
  const ReceivedHeaders received = unsummed(job.received);
  unsigned made = 0;
  for (unsigned i = 0; i < batch.count; ++i) {
    const std::uint8_t slot = batch.slots[i];
    if (!copies[i].sealed) {
      miss(batch, slot, ClientDrop::NotSealed, why.value_or(DropReason::KeySpent));
      continue;
    }
    std::swap(batch.packets[made], batch.packets[i]);  // the others' go back
    rte_mbuf* packet = batch.packets[made++];
    HeaderTemplate& headers = batch.chunk.headers[slot];
    ClientChunk::Rare& rare = batch.chunk.rare[slot];
    const std::uint32_t length = std::uint32_t{headers.length} + batch.payload;
    CopyDescription(1, length, length, batch.tag).write(packet, batch.first_slot + slot);
    std::uint8_t* end = room_of(packet) + headers.length;
    write_headers(end, {end, batch.payload}, received, headers, rare.long_header);
    count_sent(headers, rare.packets_high, rare.bytes_high, length);
    batch.clients.bytes += length;
    parts_.transmit.add(headers.port, packet);
  }
  batch.count = made;
  fetch_next(job, batch);
  batch.clients.packets += made;
  batch.clients.sealed += made;
}

// What is then cut into fragments; null where it was not to be had, which is counted.
rte_mbuf* ClientFan::seal_apart(const FanJob& job, const Batch& batch, std::uint8_t slot) noexcept {
  const unsigned room = batch.manner.sealing.room(job.packet->data_len);
  rte_mbuf* made = room <= copy_room_ ? rte_pktmbuf_alloc(parts_.copies) : nullptr;
  if (made == nullptr) {
    miss(batch, slot, ClientDrop::CopyFailed);
    return nullptr;
  }
  ClientSealer::Copy copy{&(*batch.chunk.seals)[slot], rte_pktmbuf_mtod(made, std::byte*)};
  const auto why = sealer_->seal(batch.manner.sealing, clear_of(job), {&copy, 1});
  if (!copy.sealed) {
    rte_pktmbuf_free(made);
    miss(batch, slot, ClientDrop::NotSealed, why.value_or(DropReason::KeySpent));
    return nullptr;
  }
  ++batch.clients.sealed;
  made->data_len = batch.payload;
  made->pkt_len = batch.payload;
  return made;
}

unsigned ClientFan::send_sealed_fragments(const FanJob& job, const Batch& batch,
                                          std::uint8_t slot) noexcept {
  rte_mbuf* sealed = seal_apart(job, batch, slot);
  if (sealed == nullptr) return 0;
  const std::span<const std::uint8_t> payload(rte_pktmbuf_mtod(sealed, const std::uint8_t*),
                                              sealed->data_len);
  const unsigned more = cut(batch, slot, payload, unsummed(job.received));
  rte_pktmbuf_free(sealed);
  return more;
}

}  // namespace castgate
