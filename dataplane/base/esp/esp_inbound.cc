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

EspInbound::Association::Association(const Ciphers& ciphers, const EspMaster& master,
                                     std::uint32_t number, const Terms& terms)
    : spi(number),
      esp(make_secret<EspGcm>(ciphers, master, terms.extended)),
      words(ReplayWindow::words_for(terms.window)),
      seen(words, terms.window) {
  seen.commit(0);  // which no sender uses (RFC 4303 2.2)
}

void EspInbound::add(const Ciphers& ciphers, const EspMaster& master, std::uint32_t spi) {
  CG_CHECK(find(spi) == nullptr);
  associations_.emplace_back(ciphers, master, spi, terms_);
}

const EspInbound::Association* EspInbound::find(std::uint32_t spi) const noexcept {
  const auto found = std::ranges::find(associations_, spi, &Association::spi);
  return found == associations_.end() ? nullptr : &*found;
}

EspInbound::Association* EspInbound::known(std::uint32_t spi) noexcept {
  const auto found = std::ranges::find(associations_, spi, &Association::spi);
  return found == associations_.end() ? nullptr : &*found;
}

std::expected<EspGcm::Opened, EspFault> EspInbound::open(IMB_MGR* manager,
                                                         std::span<std::byte> packet,
                                                         std::span<std::byte> spare,
                                                         Instant now) noexcept {
  if (packet.size() < EspShape::kShortest || packet.size() % 4 != 0)
    return std::unexpected(EspFault::Malformed);
  Association* from = known(load_be32(packet.data()));
  if (from == nullptr) return std::unexpected(EspFault::OtherSpi);
  const std::uint32_t told = load_be32(packet.data() + 4);
  std::uint64_t number =
      terms_.extended ? esp_sequence(from->seen.next() - 1, told, terms_.window) : told;
  const bool is_new = from->seen.is_new(number);
  const bool is_tried = is_lost(*from, now) && packet.size() <= spare.size();
  if (!is_new && !is_tried) return std::unexpected(EspFault::Replayed);
  if (is_tried) std::ranges::copy(packet, spare.begin());
  if (is_new) {
    const auto opening = from->esp->open(manager, packet, number);
    if (is_genuine(opening)) return remember(*from, opening, number, now);
  }
  const EspFault why = is_new ? EspFault::Forged : EspFault::Replayed;
  if (!is_tried) return wiped(packet, why);
  return search(manager, packet, spare.first(packet.size()), {from, number, why}, now);
}

std::expected<EspGcm::Opened, EspFault> EspInbound::search(IMB_MGR* manager,
                                                           std::span<std::byte> packet,
                                                           std::span<const std::byte> copy,
                                                           Attempt attempt, Instant now) noexcept {
  Association& from = *attempt.from;
  const auto draw = load_raw<std::uint32_t>(copy.last(4).data());
  for (const std::uint64_t turns : {from.search.next(), TurnSearch::drawn(draw)}) {
    const std::uint64_t number = attempt.number + ((turns + 1) << 32);
    std::ranges::copy(copy, packet.begin());
    const auto opening = from.esp->open(manager, packet, number);
    if (is_genuine(opening)) return remember(from, opening, number, now);
  }
  return wiped(packet, attempt.why);
}

std::expected<EspGcm::Opened, EspFault> EspInbound::remember(Association& from,
                                                             const Opening& opening,
                                                             std::uint64_t number,
                                                             Instant now) noexcept {
  from.seen.commit(number);
  from.heard = true;
  from.search = {};
  from.last = now;
  if (!opening) return std::unexpected(EspFault::Malformed);
  if (opening->next_header == kNoNextHeader) return std::unexpected(EspFault::Dummy);
  return *opening;
}

void EspInbound::inherit(const EspInbound& old, std::uint32_t spi) noexcept {
  Association* to = known(spi);
  const Association* from = old.find(spi);
  if (to == nullptr || from == nullptr || terms_.extended != old.terms_.extended) return;
  to->seen.go_on_from(from->seen);
  to->heard = from->heard;
  to->search = from->search;
  to->last = from->last;
}

bool is_beside_esp(std::span<const std::byte> payload) noexcept {
  constexpr std::byte kKeepalive{0xff};
  if (payload.size() == 1) return payload[0] == kKeepalive;
  return payload.size() >= 4 && load_be32(payload.data()) == 0;
}

}  // namespace castgate
