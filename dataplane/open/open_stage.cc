// SPDX-License-Identifier: Apache-2.0
#include "dataplane/open/open_stage.h"

#include <utility>

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
                            Shown{DropReason::Rtcp, &LegSnapshot::rtcp},
                            Shown{DropReason::OtherMki, &LegSnapshot::other_mki},
                            Shown{DropReason::OtherSpi, &LegSnapshot::other_spi},
                            Shown{DropReason::NotEsp, &LegSnapshot::not_esp},
                            Shown{DropReason::EspDummy, &LegSnapshot::esp_dummy},
                            Shown{DropReason::InnerMalformed, &LegSnapshot::inner_malformed},
                            Shown{DropReason::OtherSelector, &LegSnapshot::other_selector}};

DropReason reason_of(SrtpFault fault) noexcept {
  switch (fault) {
    case SrtpFault::Malformed:
      return DropReason::OpenMalformed;
    case SrtpFault::Rtcp:
      return DropReason::Rtcp;
    case SrtpFault::OtherMki:
      return DropReason::OtherMki;
    case SrtpFault::Replayed:
      return DropReason::Replayed;
    case SrtpFault::Forged:
      return DropReason::Forged;
  }
  std::unreachable();
}

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
  opener.esp() != nullptr ? open_esp(packet, opener) : open_srtp(packet, tag, opener);
}

void OpenStage::open_esp(rte_mbuf* packet, Opener& opener) noexcept {
  const auto why = opener.esp()->open(ciphers_.manager(), packet, spare_, now_);
  if (why) return drop(packet, *why, opener);
  opener.opened.add();
  out().emit(packet, now_);
}

void OpenStage::open_srtp(rte_mbuf* packet, const PacketTag& tag, Opener& opener) noexcept {
  const std::size_t at = tag.udp_at + 8u;
  SrtpInbound& srtp = *opener.srtp();
  SrtpInbound::Packet came;
  auto why = srtp.read({rte_pktmbuf_mtod_offset(packet, std::byte*, at), packet->data_len - at},
                       now_, came);
  if (why) return drop(packet, reason_of(*why), opener);
  if (SrtpInbound::may_wait(came)) {
    if (!batch_.takes(*came.cm)) work();
    waiting_[batch_.size()] = {packet, &opener, came};
    return batch_.add(*came.cm, came.rtp);
  }
  if (came.cm != nullptr) work();  // those that wait came before it
  why = srtp.open({.manager = ciphers_.manager(), .batch = batch_, .spare = spare_}, came, now_);
  if (why) return drop(packet, reason_of(*why), opener);
  forward(packet, opener);
}

void OpenStage::work() noexcept {
  const unsigned count = batch_.size();
  if (count == 0) return;
  const auto genuine = batch_.open(ciphers_.manager());
  for (unsigned i = 0; i < count; ++i) {
    const Waiting& one = waiting_[i];
    if (!genuine[i]) {
      drop(one.packet, DropReason::Forged, *one.opener);
    } else if (!one.opener->srtp()->finish(one.srtp, now_)) {
      drop(one.packet, DropReason::Replayed, *one.opener);
    } else {
      forward(one.packet, *one.opener);
    }
  }
  out().flush(now_);
  bin_.flush();
}

// The packet is as its sender had it before he sealed it.
void OpenStage::forward(rte_mbuf* packet, Opener& opener) noexcept {
  opener.opened.add();
  packet->data_len = static_cast<std::uint16_t>(packet->data_len - opener.srtp()->growth());
  packet->pkt_len = packet->data_len;
  PacketTag tag = tag_of(packet);
  tag.flags &= static_cast<std::uint8_t>(~PacketTag::kCorrupt);  // the tag knows better
  set_tag(packet, tag);
  refresh_udp(rte_pktmbuf_mtod(packet, std::byte*), tag, packet->data_len - tag.udp_at);
  out().emit(packet, now_);
}

void OpenStage::drop(rte_mbuf* packet, DropReason reason, Opener& opener) noexcept {
  opener.drops[static_cast<std::size_t>(reason)].add();
  bin_.drop(packet, reason);
}

}  // namespace castgate
