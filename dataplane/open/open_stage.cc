// SPDX-License-Identifier: Apache-2.0
#include "dataplane/open/open_stage.h"

#include <utility>

#include "dataplane/base/srtp/inbound_packet.h"
#include "dataplane/failover/udp_payload.h"

namespace castgate {
namespace {

constexpr std::size_t kLongestPacket = 65'536;

// What a leg counts of its drops.
struct Shown {
  DropReason reason;
  std::uint64_t LegSnapshot::* field;
};
constexpr std::array kShown{Shown{DropReason::Forged, &LegSnapshot::forged},
                            Shown{DropReason::Replayed, &LegSnapshot::replayed},
                            Shown{DropReason::OpenMalformed, &LegSnapshot::open_malformed},
                            Shown{DropReason::OtherSpi, &LegSnapshot::other_spi},
                            Shown{DropReason::NotEsp, &LegSnapshot::not_esp},
                            Shown{DropReason::EspDummy, &LegSnapshot::esp_dummy},
                            Shown{DropReason::InnerMalformed, &LegSnapshot::inner_malformed},
                            Shown{DropReason::OtherSelector, &LegSnapshot::other_selector}};

}  // namespace

std::unique_ptr<OpenStage> make_open_stage(std::size_t streams) {
  auto ciphers = Ciphers::make();
  CG_CHECK(ciphers.has_value());
  return std::make_unique<OpenStage>(streams, std::move(*ciphers));
}

OpenStage::OpenStage(std::size_t streams, Ciphers ciphers) noexcept
    : ciphers_(std::move(ciphers)), streams_(streams), spare_(kLongestPacket) {}

OpenStage::~OpenStage() {
  for (unsigned i = 0; i < batch_.size(); ++i) rte_pktmbuf_free(waiting_[i].packet);
}

void OpenStage::install(std::size_t stream, Openers& openers, const Inherited& from) noexcept {
  work();  // under the keys that they came for
  const Openers& old = streams_[stream];
  for (unsigned leg = 0; leg < openers.size(); ++leg) {
    if (!openers[leg] || !from.has(leg) || from.old(leg) >= old.size()) continue;
    if (const Opener* before = old[from.old(leg)].get()) openers[leg]->inherit(*before);
  }
  std::swap(streams_[stream], openers);
}

void OpenStage::snapshot(std::size_t stream, StreamSnapshot& into) const noexcept {
  const Openers& openers = streams_[stream];
  for (std::size_t leg = 0; leg < openers.size() && leg < into.legs.size(); ++leg) {
    if (!openers[leg]) continue;
    into.legs[leg].opened = openers[leg]->opened.get();
    for (const Shown& one : kShown) {
      into.legs[leg].*one.field = openers[leg]->drops[static_cast<std::size_t>(one.reason)].get();
    }
  }
}

void OpenStage::process(std::span<rte_mbuf* const> burst, Instant now) noexcept {
  now_ = now;
  for (rte_mbuf* packet : burst) {
    const PacketTag tag = tag_of(packet);
    const Openers& legs = streams_[tag.stream];
    if (tag.leg >= legs.size() || !legs[tag.leg]) {
      out().emit(packet, now_);
    } else {
      open(packet, tag, *legs[tag.leg]);
    }
  }
  out().flush(now_);
  bin_.flush();
}

void OpenStage::open(rte_mbuf* packet, const PacketTag& tag, Opener& opener) noexcept {
  if (opener.esp() != nullptr) return open_esp(packet, opener);
  const std::size_t at = tag.udp_at + 8u;
  InboundPacket came;
  if (!read_inbound(rte_pktmbuf_mtod_offset(packet, std::byte*, at), packet->data_len - at,
                    opener.tag(), came)) {
    return drop(packet, DropReason::OpenMalformed, opener);
  }
  if (!opener.indexes().guess(came.ssrc, came.sequence, now_, came.rtp.index)) {
    return drop(packet, DropReason::Replayed, opener);
  }
  if (opener.gcm() != nullptr) return open_gcm(packet, came, opener);
  if (!batch_.takes(*opener.cm())) work();
  waiting_[batch_.size()] = {packet, &opener, came.rtp.index, came.ssrc};
  batch_.add(*opener.cm(), came.rtp);
}

void OpenStage::open_esp(rte_mbuf* packet, Opener& opener) noexcept {
  const auto why = opener.esp()->open(ciphers_.manager(), packet, spare_, now_);
  if (why) return drop(packet, *why, opener);
  opener.opened.add();
  out().emit(packet, now_);
}

void OpenStage::open_gcm(rte_mbuf* packet, const InboundPacket& came, Opener& opener) noexcept {
  const SrtpPacket& rtp = came.rtp;
  if (opener.gcm()->open(ciphers_.manager(), rtp)) {
    return finish(packet, came.ssrc, rtp.index, opener);
  }
  // What it decrypts to is nobody's to see.
  std::memset(rtp.at + rtp.header, 0, rtp.length - rtp.header);
  forged(packet, came.ssrc, opener);
}

void OpenStage::work() noexcept {
  const unsigned count = batch_.size();
  if (count == 0) return;
  const auto genuine = batch_.open(ciphers_.manager());
  for (unsigned i = 0; i < count; ++i) {
    const Waiting& one = waiting_[i];
    if (genuine[i]) {
      finish(one.packet, one.ssrc, one.index, *one.opener);
    } else {
      forged(one.packet, one.ssrc, *one.opener);
    }
  }
  out().flush(now_);
  bin_.flush();
}

// The packet is as its sender had it before he sealed it.
void OpenStage::finish(rte_mbuf* packet, std::uint32_t ssrc, std::uint64_t index,
                       Opener& opener) noexcept {
  if (!opener.indexes().commit(ssrc, index, now_)) {
    return drop(packet, DropReason::Replayed, opener);
  }
  opener.opened.add();
  packet->data_len = static_cast<std::uint16_t>(packet->data_len - opener.tag());
  packet->pkt_len = packet->data_len;
  PacketTag tag = tag_of(packet);
  tag.flags &= static_cast<std::uint8_t>(~PacketTag::kCorrupt);  // the tag knows better
  set_tag(packet, tag);
  refresh_udp(rte_pktmbuf_mtod(packet, std::byte*), tag, packet->data_len - tag.udp_at);
  out().emit(packet, now_);
}

void OpenStage::forged(rte_mbuf* packet, std::uint32_t ssrc, Opener& opener) noexcept {
  opener.indexes().miss(ssrc);
  drop(packet, DropReason::Forged, opener);
}

void OpenStage::drop(rte_mbuf* packet, DropReason reason, Opener& opener) noexcept {
  opener.drops[static_cast<std::size_t>(reason)].add();
  bin_.drop(packet, reason);
}

}  // namespace castgate
