// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/esp/esp_inbound.h"

#include <algorithm>

namespace castgate {
namespace {

constexpr std::uint8_t kNoNextHeader = 59;

bool is_genuine(const std::expected<EspGcm::Opened, EspGcm::Fault>& opening) noexcept {
  return opening || opening.error() != EspGcm::Fault::Forged;
}

std::unexpected<EspFault> wiped(std::span<std::byte> packet, EspFault why) noexcept {
  std::ranges::fill(packet.subspan(EspShape::kHead), std::byte{0});
  return std::unexpected(why);
}

}  // namespace

EspInbound::EspInbound(const Ciphers& ciphers, const EspMaster& master, const Terms& terms)
    : esp_(make_secret<EspGcm>(ciphers, master, terms.extended)),
      spi_(terms.spi),
      extended_(terms.extended),
      window_(terms.window),
      words_(ReplayWindow::words_for(terms.window)),
      seen_(words_, terms.window) {
  seen_.commit(0);  // which no sender uses (RFC 4303 2.2)
}

std::expected<EspGcm::Opened, EspFault> EspInbound::open(IMB_MGR* manager,
                                                         std::span<std::byte> packet,
                                                         std::span<std::byte> spare,
                                                         Instant now) noexcept {
  if (packet.size() < EspShape::kShortest || packet.size() % 4 != 0)
    return std::unexpected(EspFault::Malformed);
  if (load_be32(packet.data()) != spi_) return std::unexpected(EspFault::OtherSpi);
  const std::uint32_t told = load_be32(packet.data() + 4);
  std::uint64_t number = extended_ ? esp_sequence(seen_.next() - 1, told, window_) : told;
  const bool is_new = seen_.is_new(number);
  const bool is_tried = is_lost(now) && packet.size() <= spare.size();
  if (!is_new && !is_tried) return std::unexpected(EspFault::Replayed);
  if (is_tried) std::ranges::copy(packet, spare.begin());
  if (is_new) {
    const auto opening = esp_->open(manager, packet, number);
    if (is_genuine(opening)) return remember(opening, number, now);
  }
  const EspFault why = is_new ? EspFault::Forged : EspFault::Replayed;
  if (!is_tried) return wiped(packet, why);
  std::ranges::copy(spare.first(packet.size()), packet.begin());
  tries_ = tries_ % kMostTurns + 1;
  number += std::uint64_t{tries_} << 32;
  const auto opening = esp_->open(manager, packet, number);
  return is_genuine(opening) ? remember(opening, number, now) : wiped(packet, why);
}

std::expected<EspGcm::Opened, EspFault> EspInbound::remember(const Opening& opening,
                                                             std::uint64_t number,
                                                             Instant now) noexcept {
  seen_.commit(number);
  heard_ = true;
  tries_ = 0;
  last_ = now;
  if (!opening) return std::unexpected(EspFault::Malformed);
  if (opening->next_header == kNoNextHeader) return std::unexpected(EspFault::Dummy);
  return *opening;
}

void EspInbound::inherit(const EspInbound& old) noexcept {
  seen_.go_on_from(old.seen_);
  heard_ = old.heard_;
  tries_ = old.tries_;
  last_ = old.last_;
}

bool is_beside_esp(std::span<const std::byte> payload) noexcept {
  constexpr std::byte kKeepalive{0xff};
  if (payload.size() == 1) return payload[0] == kKeepalive;
  return payload.size() >= 4 && load_be32(payload.data()) == 0;
}

}  // namespace castgate
