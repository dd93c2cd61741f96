// SPDX-License-Identifier: Apache-2.0
// Where the stage meets the clients of unicast outputs.
#include "dataplane/replicate/client_tag.h"
#include "dataplane/replicate/replicate_stage.h"

namespace castgate {

// The groups first; the packet itself then waits for the clients.
void ReplicateStage::send_to_clients(rte_mbuf* packet, const PacketTag& tag, const Outputs& outputs,
                                     Instant now) noexcept {
  const ReceivedHeaders received = read_headers(rte_pktmbuf_mtod(packet, const std::uint8_t*), tag);
  if (!outputs.fan->has_clients()) {
    if (outputs.count == 0) return bin_.drop(packet, DropReason::NoClient);
    if (outputs.count == 1) return send_in_place(packet, tag, received, *outputs.first);
    return send_to_many(packet, tag, outputs);
  }
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
    if (fan == nullptr || of.unicast >= fan->unicasts.size()) continue;
    fan->unicasts[of.unicast]->count_refused(of.slot);
  }
}

}  // namespace castgate
