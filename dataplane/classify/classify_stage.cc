// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/classify_stage.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <smmintrin.h>

#include <rte_prefetch.h>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/checksum.h"
#include "dataplane/classify/parse_reason.h"

namespace castgate {
namespace {

constexpr unsigned kStraightHeaders = 42;  // Ethernet, IPv4 without options, UDP
constexpr unsigned kEthernet = 14;

// EtherType IPv4, version 4, header of 5 words, no fragment (DF may be set), UDP: bytes 12 to 27.
bool is_plain_ip4_udp(const unsigned char* frame) noexcept {
  const __m128i mask =
      _mm_setr_epi8(-1, -1, -1, 0, 0, 0, 0, 0, static_cast<char>(0xbf), -1, 0, -1, 0, 0, 0, 0);
  const __m128i want = _mm_setr_epi8(8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0);
  const __m128i seen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(frame + 12));
  return _mm_testz_si128(_mm_xor_si128(seen, want), mask) != 0;
}

constexpr std::size_t kPrefetchAhead = 8;

// The header's address from the mbuf's own, so that a cold mbuf is not waited for.
void prefetch(rte_mbuf* packet) noexcept {
  rte_prefetch0(packet);
  rte_prefetch0(reinterpret_cast<char*>(packet) + sizeof(rte_mbuf) + RTE_PKTMBUF_HEADROOM);
}

}  // namespace

ClassifyStage::ClassifyStage(const ClassifyParts& parts, Stage& next, ClassifyExits& exits)
    : flows_(&parts.flows),
      worker_(parts.worker),
      max_frame_(parts.spec.appliance.max_frame),
      frame_pool_(parts.frame_pool),
      out_(next),
      exits_(exits),
      ports_(parts.spec.ports.size()) {
  for (const PortSpec& port : parts.spec.ports) {
    const VerifySpec& verify = port.verify;
    checks_.push_back({{verify.ip_checksum, verify.udp_checksum},
                       verify.mac,
                       port.mac.value_or(MacAddress{}),
                       verify.ip_checksum && !verify.mac});
  }
}

void ClassifyStage::receive(unsigned port, std::span<rte_mbuf* const> burst, Instant now) noexcept {
  CG_CHECK(burst.size() <= kBurst);
  ports_[port].packets.add(burst.size());
  const PortChecks& checks = checks_[port];
  if (!checks.straight) {
    for (rte_mbuf* packet : burst) at_length(packet, port, now);
  } else if (checks.parse.udp_checksum) {
    receive_straight<true>(port, burst, now);
  } else {
    receive_straight<false>(port, burst, now);
  }
  out_.flush(now);
  bin_.flush();
}

// The usual packet without a detour: untagged IPv4 without options, UDP, all lengths in order,
// header checksum right, for one of our legs. Anything else is left untouched for the long way.
// What it reads of the stage is copied here once a burst, so that it stays in registers.
struct ClassifyStage::StraightWay {
  FlowTable::View4 flows;
  std::uint64_t segment;  // its part of the key
  unsigned longest;       // over the headers

  // The packet's row; null for the long way. The row may ask for kCheckOwn.
  template <bool kSumUdp>
  [[gnu::always_inline]] const FlowTable::Row4* find(const rte_mbuf* packet) const noexcept {
    const auto* frame = rte_pktmbuf_mtod(packet, const unsigned char*);
    const unsigned over = packet->data_len - kStraightHeaders;  // huge where it is too short
    if (packet->nb_segs != 1 || over > longest) return nullptr;
    const unsigned total = load_be16(frame + 16);
    const unsigned udp = load_be16(frame + 38);
    if (total != udp + 20 || total - 28 > over) return nullptr;
    if (!is_plain_ip4_udp(frame) || frame[22] == 0) return nullptr;
    if (!ip_header_sums_up(frame + kEthernet)) return nullptr;
    const std::uint64_t key =
        (load_raw<std::uint64_t>(frame + 30) & FlowTable::kAddressAndPort) | segment;
    const auto* row = flows.find(key, load_raw<std::uint32_t>(frame + 26));
    if (kSumUdp && row != nullptr && load_raw<std::uint16_t>(frame + 40) != 0) {
      const auto* bytes = reinterpret_cast<const std::byte*>(frame);
      if (!udp_sums_up({bytes + 26, 8}, {bytes + 34, udp})) return nullptr;
    }
    return row;
  }

  // Tags the packet and cuts it to the end of its UDP payload.
  [[gnu::always_inline]] static void tag(rte_mbuf* packet, const FlowTable::Row4* row) noexcept {
    const auto* frame = rte_pktmbuf_mtod(packet, const unsigned char*);
    const unsigned udp = load_be16(frame + 38);
    // Its first half is the row's last: one load instead of three.
    static_assert(offsetof(FlowTable::Row4, stream) == 12 && offsetof(PacketTag, udp_at) == 4);
    const std::uint64_t raw =
        load_raw<std::uint32_t>(&row->stream) | std::uint64_t{PacketTag::kPlain} << 32;
    set_tag(packet, std::bit_cast<PacketTag>(raw));
    packet->data_len = static_cast<std::uint16_t>(34 + udp);
    packet->pkt_len = 34 + udp;
  }
};

template <bool kSumUdp>
void ClassifyStage::receive_straight(unsigned port, std::span<rte_mbuf* const> burst,
                                     Instant now) noexcept {
  const StraightWay way{flows_->view4(), FlowTable::key4(0, static_cast<std::uint16_t>(port)),
                        max_frame_ - kStraightHeaders};
  const auto worker = static_cast<std::uint8_t>(worker_);
  for (rte_mbuf* packet : burst.first(std::min(burst.size(), kPrefetchAhead))) prefetch(packet);
  rte_mbuf** end = out_.end();
  for (std::size_t i = 0; i < burst.size(); ++i) {
    if (i + kPrefetchAhead < burst.size()) prefetch(burst[i + kPrefetchAhead]);
    const auto* row = way.find<kSumUdp>(burst[i]);
    if (row != nullptr && row->worker == worker) [[likely]] {
      StraightWay::tag(burst[i], row);
      *end++ = burst[i];
      continue;
    }
    out_.filled_to(end);
    if (row != nullptr && (row->worker & FlowTable::Row4::kCheckOwn) == 0) {
      StraightWay::tag(burst[i], row);
      send_on(burst[i], port, row->worker);
    } else {
      at_length(burst[i], port, now);
    }
    end = out_.end();
  }
  out_.filled_to(end);
}

void ClassifyStage::at_length(rte_mbuf* packet, unsigned port, Instant now) noexcept {
  if (packet->pkt_len > max_frame_) return drop(packet, port, DropReason::TooBig);
  if (packet->nb_segs != 1) {
    rte_mbuf* whole = one_segment(packet);
    if (whole == nullptr) return drop(packet, port, DropReason::NoBuffer);
    packet = whole;
  }
  const PortChecks& checks = checks_[port];
  PacketLayout layout;
  const ParseVerdict verdict = parse_packet(
      {rte_pktmbuf_mtod(packet, const std::byte*), packet->data_len}, checks.parse, layout);
  if (layout.has_ip_options) ports_[port].ip_options.add();
  if (verdict == ParseVerdict::Udp) return deliver(packet, port, layout, now);
  if (verdict == ParseVerdict::Esp) return deliver_esp(packet, port, layout, now);
  if (verdict == ParseVerdict::Host) {
    if (exits_.punt(packet, port, layout.host, now)) return;
    const bool arp = layout.host == HostKind::Arp;
    return drop(packet, port, arp ? DropReason::NotIp : DropReason::NotUdp);
  }
  if (verdict == ParseVerdict::UdpChecksum && is_kept_corrupt(packet, port, layout)) {
    layout.is_corrupt = true;
    return deliver(packet, port, layout, now);
  }
  drop(packet, port, reason_of(verdict));
}

Flow ClassifyStage::flow_of(const rte_mbuf* packet, unsigned port,
                            const PacketLayout& layout) const noexcept {
  const std::uint16_t segment = flows_->segment(port, layout.tags);
  if (segment == FlowTable::kNoSegment) return {};
  if (layout.is_v6) {
    return flows_->find6(layout.source, {layout.destination, layout.destination_port}, segment);
  }
  const auto* frame = rte_pktmbuf_mtod(packet, const unsigned char*);
  std::array<unsigned char, 8> key{};
  std::memcpy(key.data(), frame + layout.l3_at + 16, 4);
  std::memcpy(&key[4], frame + layout.udp_at, 4);
  return flows_->find4(FlowTable::key4(load_raw<std::uint64_t>(key.data()), segment),
                       load_raw<std::uint32_t>(frame + layout.l3_at + 12));
}

// Is the packet of a stream that takes what nothing better came for?
bool ClassifyStage::is_kept_corrupt(const rte_mbuf* packet, unsigned port,
                                    const PacketLayout& layout) const noexcept {
  const Flow flow = flow_of(packet, port, layout);
  return flow.stream != Flow::kNone && flows_->keeps_corrupt(flow.stream);
}

void ClassifyStage::deliver(rte_mbuf* packet, unsigned port, const PacketLayout& layout,
                            Instant now) noexcept {
  const Flow flow = flow_of(packet, port, layout);
  if (flow.stream == Flow::kNone) {
    const Endpoint to{layout.destination, layout.destination_port};
    const std::uint16_t segment = flows_->segment(port, layout.tags);
    return missed(packet, port, flows_->why_not(layout.source, to, segment), now);
  }
  hand_on(packet, port, flow, layout, now);
}

// Nobody but a leg wants ESP.
void ClassifyStage::deliver_esp(rte_mbuf* packet, unsigned port, const PacketLayout& layout,
                                Instant now) noexcept {
  const FlowTable::EspFlow esp{layout.source, layout.destination, layout.spi};
  const std::uint16_t segment = flows_->segment(port, layout.tags);
  if (segment == FlowTable::kNoSegment) return drop(packet, port, DropReason::NotUdp);
  const Flow flow = flows_->find_esp(esp, segment);
  if (flow.stream != Flow::kNone) return hand_on(packet, port, flow, layout, now);
  const FlowMiss why = flows_->why_not(esp, segment);
  if (why == FlowMiss::NoFeed) return drop(packet, port, DropReason::NotUdp);
  missed(packet, port, why, now);
}

void ClassifyStage::hand_on(rte_mbuf* packet, unsigned port, const Flow& flow,
                            const PacketLayout& layout, Instant now) noexcept {
  if (checks_[port].mac && !mac_fits(packet, port, layout)) {
    return drop(packet, port, DropReason::MacMismatch);
  }
  const auto flags = static_cast<std::uint8_t>((layout.is_v6 ? PacketTag::kIp6 : 0) |
                                               (layout.is_corrupt ? PacketTag::kCorrupt : 0));
  set_tag(packet, {.stream = flow.stream,
                   .leg = flow.leg,
                   .worker = flow.worker,
                   .udp_at = layout.udp_at,
                   .l3_at = static_cast<std::uint8_t>(layout.l3_at),
                   .flags = flags});
  packet->data_len = static_cast<std::uint16_t>(layout.end);
  packet->pkt_len = layout.end;
  if (flow.worker == worker_) return out_.emit(packet, now);
  send_on(packet, port, flow.worker);
}

// No leg wants the packet. Where nobody knows it the host stack may.
void ClassifyStage::missed(rte_mbuf* packet, unsigned port, FlowMiss why, Instant now) noexcept {
  switch (why) {
    case FlowMiss::OwnSource:
      return drop(packet, port, DropReason::OwnSource);
    case FlowMiss::SourceFilter:
      return drop(packet, port, DropReason::SourceFilter);
    case FlowMiss::OtherSpi:
      return drop(packet, port, DropReason::OtherSpi);
    case FlowMiss::NoFeed:
      if (exits_.punt(packet, port, HostKind::None, now)) return;
      return drop(packet, port, DropReason::NoFeed);
  }
}

void ClassifyStage::send_on(rte_mbuf* packet, unsigned port, unsigned worker) noexcept {
  if (!exits_.hand_over(packet, worker)) drop(packet, port, DropReason::HandoverFull);
}

// A chain becomes one segment: in place where the first one has room, else in a new buffer. Null,
// and the chain left alone, when there is none.
rte_mbuf* ClassifyStage::one_segment(rte_mbuf* packet) noexcept {
  if (rte_pktmbuf_linearize(packet) == 0) return packet;
  rte_mbuf* whole = frame_pool_ == nullptr ? nullptr : rte_pktmbuf_alloc(frame_pool_);
  if (whole == nullptr) return nullptr;
  char* to = rte_pktmbuf_append(whole, static_cast<std::uint16_t>(packet->pkt_len));
  if (to == nullptr) {
    rte_pktmbuf_free(whole);
    return nullptr;
  }
  for (const rte_mbuf* from = packet; from != nullptr; from = from->next) {
    std::memcpy(to, rte_pktmbuf_mtod(from, const char*), from->data_len);
    to += from->data_len;
  }
  rte_pktmbuf_free(packet);
  return whole;
}

bool ClassifyStage::mac_fits(const rte_mbuf* packet, unsigned port,
                             const PacketLayout& layout) const noexcept {
  const IpAddress& to = layout.destination;
  const MacAddress want = to.is_multicast() ? multicast_mac(to) : checks_[port].own_mac;
  return std::memcmp(rte_pktmbuf_mtod(packet, const void*), want.bytes.data(), 6) == 0;
}

void ClassifyStage::discard(unsigned port, std::span<rte_mbuf* const> burst,
                            DropReason why) noexcept {
  ports_[port].packets.add(burst.size());
  for (rte_mbuf* packet : burst) drop(packet, port, why);
  bin_.flush();
}

void ClassifyStage::drop(rte_mbuf* packet, unsigned port, DropReason reason) noexcept {
  ports_[port].drops[static_cast<std::size_t>(reason)].add();
  bin_.drop(packet, reason);
}

}  // namespace castgate
