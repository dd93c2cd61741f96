// SPDX-License-Identifier: Apache-2.0
// Where the stage meets the clients of unicast outputs.
#include "dataplane/replicate/client_tag.h"
#include "dataplane/replicate/replicate_stage.h"

namespace castgate {

// A copy for each other worker that has clients of the stream; says for how many.
unsigned ReplicateStage::hand_over(const rte_mbuf* packet, FanStream& fan) noexcept {
  unsigned copies = 0;
  for (const FanHelper& helper : fan.helpers) {
    if (!helper.has_clients()) continue;
    ++copies;
    if (links_.send(helper.worker, packet)) continue;
    for (std::size_t u = 0; u < fan.unicasts.size(); ++u) {
      if (helper.unicasts[u]->count() != 0) ++fan.unicasts[u]->backlog;
    }
  }
  return copies;
}

// Other workers first, then the groups; the packet itself then waits for the clients.
void ReplicateStage::send_to_clients(rte_mbuf* packet, const PacketTag& tag, const Outputs& outputs,
                                     Instant now) noexcept {
  const ReceivedHeaders received = read_headers(rte_pktmbuf_mtod(packet, const std::uint8_t*), tag);
  const unsigned copies = outputs.fan->helpers.empty() ? 0 : hand_over(packet, *outputs.fan);
  if (!outputs.fan->has_clients()) {
    if (outputs.count == 0 && copies == 0) return bin_.drop(packet, DropReason::NoClient);
    created_.add(outputs.count == 0 ? copies - 1 : copies);  // it counts as the first of them
    if (outputs.count == 0) return rte_pktmbuf_free(packet);
    if (outputs.count == 1) return send_in_place(packet, tag, received, *outputs.first);
    return send_to_many(packet, tag, outputs);
  }
  created_.add(copies);
  const auto headers = static_cast<std::uint16_t>(tag.udp_at + 8u);
  const bool shared = outputs.chains && packet->data_len - headers >= int{kCopyThreshold};
  for (std::uint32_t i = 0; !shared && i < outputs.count; ++i) {
    send_copy(packet, tag, received, outputs.first[i]);
  }
  rte_pktmbuf_adj(packet, headers);
  if (shared) {
    created_.add(outputs.count);
    share(packet, tag, received, outputs);
  }
  fan_.offer(*outputs.fan, packet, received, now);
}

void ReplicateStage::take_part(std::span<rte_mbuf* const> burst, Instant now) noexcept {
  for (rte_mbuf* packet : burst) {
    const PacketTag tag = tag_of(packet);
    FanStream* fan = outputs_[tag.stream].fan;
    if (fan == nullptr) {  // the stream went while it was on its way
      bin_.drop(packet, DropReason::Removed);
      continue;
    }
    const ReceivedHeaders received =
        read_headers(rte_pktmbuf_mtod(packet, const std::uint8_t*), tag);
    rte_pktmbuf_adj(packet, static_cast<std::uint16_t>(tag.udp_at + 8u));
    fan_.offer(*fan, packet, received, now);
  }
  bin_.flush();
}

void ReplicateStage::command(const Command& command) noexcept {
  const ClientCommand& client = command.client;
  FanStream* fan = outputs_[client.place.stream].fan;
  if (fan == nullptr) return;
  ClientVector& clients = *fan->unicasts[client.place.unicast];
  if (command.kind == CommandKind::ClientJoin) {
    clients.add(client.place.slot);
  } else if (command.kind == CommandKind::ClientLeave) {
    clients.remove(client.place.slot);
  } else {
    clients.change(client.place.slot, client.next_hop, client.most_payload);
  }
}

void ReplicateStage::not_sent(std::span<rte_mbuf* const> packets) noexcept {
  for (const rte_mbuf* packet : packets) {
    const PacketTag tag = tag_of(packet);
    if (!is_to_client(tag) || tag.stream >= outputs_.size()) continue;
    const ClientTag of = client_tag_of(tag);
    FanStream* fan = outputs_[of.stream].fan;
    // Of another worker's clients, where we send for it, nobody but that worker may write.
    if (fan == nullptr || fan->part != of.part() || of.unicast >= fan->unicasts.size()) continue;
    fan->unicasts[of.unicast]->count_refused(of.slot_in_part());
  }
}

void ReplicateStage::snapshot_clients(std::size_t stream, StreamSnapshot& into) const {
  const FanStream* fan = outputs_[stream].fan;
  for (std::size_t u = 0; fan != nullptr && u < into.unicasts.size(); ++u) {
    const ClientVector& clients = *fan->unicasts[u];
    into.unicasts[u].clients += clients.count();
    into.unicasts[u].packets += clients.packets;
    into.unicasts[u].bytes += clients.bytes;
    into.unicasts[u].drops += clients.drops;
    into.unicasts[u].backlog += clients.backlog;
    into.crypto_packets += clients.sealed;
  }
}

}  // namespace castgate
