// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replicate/replicate_stage.h"

#include <algorithm>

#include "dataplane/restamp/header_places.h"

namespace castgate {
namespace {

std::uint8_t* bytes_at(rte_mbuf* packet, unsigned offset) noexcept {
  return rte_pktmbuf_mtod_offset(packet, std::uint8_t*, offset);
}

[[gnu::always_inline]] inline bool may_leave(std::uint32_t payload_length,
                                             const ReceivedHeaders& received,
                                             const OutputTemplate& output,
                                             DropReason& why) noexcept {
  if (payload_length > output.most_payload) [[unlikely]] {
    why = DropReason::Mtu;
    return false;
  }
  if (output.ttl == 0 && received.ttl <= 1) [[unlikely]] {
    why = DropReason::TtlExpired;
    return false;
  }
  return true;
}

[[gnu::always_inline]] inline void count(OutputTemplate& output, std::uint32_t bytes) noexcept {
  count_sent(output, output.packets_high, output.bytes_high, bytes);
}

}  // namespace

ReplicateStage::ReplicateStage(const ReplicateParts& parts, TransmitStage& transmit)
    : pool_(parts.pool),
      transmit_(transmit),
      outputs_(std::max(parts.spec.streams.size(), parts.streams)),
      later_(outputs_.size()),
      renditions_(outputs_.size()),
      fans_(outputs_.size()),
      fan_({.heads = parts.heads,
            .copies = parts.pool,
            .transmit = transmit,
            .created = created_,
            .bin = bin_}),
      links_(parts.links, bin_) {
  const Spec& spec = parts.spec;
  for (const StreamSpec& stream : spec.streams) {
    for (const OutputSpec& output : stream.outputs) {
      const PortSpec& port = spec.ports[output.port];
      templates_.push_back(make_template(output, port, parts.ports[output.port]->facts().mac));
    }
  }
  OutputTemplate* next = templates_.data();
  for (std::size_t s = 0; s < spec.streams.size(); ++s) {
    const auto& wanted = spec.streams[s].outputs;
    outputs_[s] = outputs_of(wanted, parts.ports, next);
    next += wanted.size();
    if (spec.streams[s].unicasts.empty()) {
      renditions_[s] = split(spec.streams[s], parts.ports, outputs_[s]);
      continue;
    }
    const FanHelpers helpers = s < parts.helpers.size() ? parts.helpers[s] : FanHelpers{};
    const auto at = std::ranges::find(helpers, parts.worker);
    if (!parts.mine[s] && at == helpers.end()) continue;
    const auto part = parts.mine[s] ? 0 : static_cast<unsigned>(at - helpers.begin()) + 1;
    fans_[s] = make_fan_stream(spec.streams[s], {parts.clients->clients_of(s), helpers, part},
                               parts.ports, static_cast<std::uint16_t>(s));
    outputs_[s].fan = fans_[s].get();
    if (is_isolated(spec.streams[s]) && !fan_.seals()) fan_.seal_with(make_client_sealer());
    outputs_[s].plain = false;
    renditions_[s] = split(spec.streams[s], parts.ports, outputs_[s]);
  }
  transmit.tell_refusals_to(this);
}

ReplicateStage::~ReplicateStage() {
  transmit_.tell_refusals_to(nullptr);
}

void ReplicateStage::show_to(Tap* tap) noexcept {
  tap_ = tap;
  bin_.show_to(tap != nullptr && tap->wants(CaptureStage::Drops) ? tap : nullptr, true);
}

// Of what was encrypted, lengths were not written yet.
void ReplicateStage::show(std::span<rte_mbuf* const> burst) noexcept {
  for (rte_mbuf* packet : burst) {
    const PacketTag tag = tag_of(packet);
    write_lengths(rte_pktmbuf_mtod(packet, std::byte*), places_of(tag),
                  packet->data_len - tag.udp_at);
  }
  tap_->see({.stage = CaptureStage::Restamp}, burst);
}

void ReplicateStage::process(std::span<rte_mbuf* const> burst, Instant now) noexcept {
  if (tap_ != nullptr) [[unlikely]]
    show(burst);
  for (rte_mbuf* packet : burst) {
    const PacketTag tag = tag_of(packet);
    const Outputs& every = outputs_[tag.stream];
    const Outputs& outputs =
        every.by_rendition == nullptr ? every : every.by_rendition[tag.rendition];
    if (outputs.plain && is_plain(tag) &&
        packet->data_len - OutputTemplate::kShort <= outputs.first->most_payload) [[likely]] {
      send_plain(packet, *outputs.first);
    } else if (outputs.fan != nullptr) {
      send_to_clients(packet, tag, outputs, now);
    } else if (outputs.plain_raw && is_plain(tag)) {
      send_plain_raw(packet, *outputs.first);
    } else if (outputs.count == 1) {
      send_in_place(packet, tag, read_headers(bytes_at(packet, 0), tag), *outputs.first);
    } else {
      send_to_many(packet, tag, outputs);
    }
  }
  links_.flush();
  bin_.flush();
}

// Headers of one length over headers of the same length: nothing changes in the mbuf.
[[gnu::always_inline]] inline void ReplicateStage::send_plain(rte_mbuf* packet,
                                                              OutputTemplate& output) noexcept {
  const std::uint32_t length = packet->data_len;
  const unsigned port = output.port;
  write_plain_headers(bytes_at(packet, 0), length, output);
  count(output, length);
  transmit_.add(port, packet);
}

// Before an ESP packet lie longer headers, which say its TOS.
void ReplicateStage::send_plain_raw(rte_mbuf* packet, OutputTemplate& output) noexcept {
  constexpr unsigned kMore = OutputTemplate::kShort - OutputTemplate::kRaw;
  const std::uint32_t length = packet->data_len - kMore;
  if (length - OutputTemplate::kRaw > output.most_payload) [[unlikely]] {
    ++output.drops;
    return bin_.drop(packet, DropReason::Mtu);
  }
  std::uint8_t* frame = bytes_at(packet, 0);
  write_plain_raw_headers(frame + OutputTemplate::kShort, length - OutputTemplate::kRaw, frame[15],
                          output);
  packet->data_off = static_cast<std::uint16_t>(packet->data_off + kMore);
  packet->data_len = static_cast<std::uint16_t>(length);
  packet->pkt_len = length;
  count(output, length);
  transmit_.add(output.port, packet);
}

void ReplicateStage::send_to_many(rte_mbuf* packet, const PacketTag& tag,
                                  const Outputs& outputs) noexcept {
  const ReceivedHeaders received = read_headers(bytes_at(packet, 0), tag);
  const std::uint32_t payload = packet->data_len - (tag.udp_at + 8u);
  if (outputs.chains && payload >= kCopyThreshold) {
    rte_pktmbuf_adj(packet, static_cast<std::uint16_t>(tag.udp_at + 8u));
    created_.add(outputs.count - 1);  // the packet itself ends as their payload
    share(packet, tag, received, outputs);
    return rte_pktmbuf_free(packet);
  }
  for (std::uint32_t i = 0; i + 1 < outputs.count; ++i) {
    send_copy(packet, tag, received, outputs.first[i]);
  }
  send_in_place(packet, tag, received, outputs.first[outputs.count - 1]);
}

void ReplicateStage::send_in_place(rte_mbuf* packet, const PacketTag& tag,
                                   const ReceivedHeaders& received,
                                   OutputTemplate& output) noexcept {
  const unsigned payload_at = tag.udp_at + 8u;
  const auto payload_length = static_cast<std::uint16_t>(packet->data_len - payload_at);
  const unsigned room = packet->data_off + payload_at;
  DropReason why = DropReason::CopyFailed;
  if (room < output.length || !may_leave(payload_length, received, output, why)) [[unlikely]] {
    ++output.drops;
    return bin_.drop(packet, why);
  }
  write_headers(bytes_at(packet, payload_at), {bytes_at(packet, payload_at), payload_length},
                received, output, output.long_header);
  packet->data_off = static_cast<std::uint16_t>(room - output.length);
  packet->data_len = static_cast<std::uint16_t>(payload_length + output.length);
  packet->pkt_len = payload_length + std::uint32_t{output.length};
  count(output, packet->pkt_len);
  transmit_.add(output.port, packet);
}

// A header of its own for each group in front of the common payload, where `packet` begins: none
// of its bytes is copied.
void ReplicateStage::share(rte_mbuf* packet, const PacketTag& tag, const ReceivedHeaders& received,
                           const Outputs& outputs) noexcept {
  const auto headers = static_cast<std::uint16_t>(tag.udp_at + 8u);
  const auto payload_length = static_cast<std::uint16_t>(packet->data_len);
  for (std::uint32_t i = 0; i < outputs.count; ++i) {
    OutputTemplate& output = outputs.first[i];
    DropReason why = DropReason::CopyFailed;
    rte_mbuf* head = nullptr;
    if (may_leave(payload_length, received, output, why)) head = rte_pktmbuf_alloc(pool_);
    if (head == nullptr) {
      rte_pktmbuf_prepend(packet, headers);
      count_missing(packet, output, why);
      rte_pktmbuf_adj(packet, headers);
      continue;
    }
    set_tag(head, tag);
    write_headers(bytes_at(head, output.length), {bytes_at(packet, 0), payload_length}, received,
                  output, output.long_header);
    head->data_len = output.length;
    head->pkt_len = output.length + std::uint32_t{payload_length};
    head->nb_segs = 2;
    head->next = packet;
    rte_mbuf_refcnt_update(packet, 1);
    count(output, head->pkt_len);
    transmit_.add(output.port, head);
  }
}

void ReplicateStage::send_copy(rte_mbuf* packet, const PacketTag& tag,
                               const ReceivedHeaders& received, OutputTemplate& output) noexcept {
  const unsigned payload_at = tag.udp_at + 8u;
  const auto payload_length = static_cast<std::uint16_t>(packet->data_len - payload_at);
  DropReason why = DropReason::CopyFailed;
  rte_mbuf* copy = nullptr;
  created_.add();
  if (may_leave(payload_length, received, output, why)) copy = rte_pktmbuf_alloc(pool_);
  if (copy == nullptr) return count_missing(packet, output, why);
  const unsigned length = output.length + std::uint32_t{payload_length};
  if (length > rte_pktmbuf_tailroom(copy)) {
    rte_pktmbuf_free(copy);
    return count_missing(packet, output, why);
  }
  set_tag(copy, tag);
  std::memcpy(bytes_at(copy, output.length),
              rte_pktmbuf_mtod_offset(packet, const std::uint8_t*, payload_at), payload_length);
  write_headers(bytes_at(copy, output.length), {bytes_at(copy, output.length), payload_length},
                received, output, output.long_header);
  copy->data_len = static_cast<std::uint16_t>(length);
  copy->pkt_len = length;
  count(output, length);
  transmit_.add(output.port, copy);
}

// The output gets nothing of this packet: as if its copy had been made and dropped.
void ReplicateStage::count_missing(rte_mbuf* packet, OutputTemplate& output,
                                   DropReason reason) noexcept {
  ++output.drops;
  if (tap_ != nullptr) tap_->see({.stage = CaptureStage::Drops, .reason = reason}, {&packet, 1});
  bin_.note(reason);
}

void ReplicateStage::snapshot(std::size_t stream, StreamSnapshot& into) const {
  const Outputs& outputs = outputs_[stream];
  if (outputs.count != into.outputs.size()) return;
  snapshot_clients(stream, into);
  for (std::uint32_t i = 0; i < outputs.count; ++i) {
    const OutputTemplate& output = outputs.first[i];
    into.outputs[i].packets = (output.packets_high << 32) + output.packets;
    into.outputs[i].bytes = (output.bytes_high << 32) + output.bytes;
    into.outputs[i].drops = output.drops;
  }
}

}  // namespace castgate
