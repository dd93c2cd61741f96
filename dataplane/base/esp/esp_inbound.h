// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/base/esp/esp_gcm.h"
#include "dataplane/base/instant.h"
#include "dataplane/base/protect/replay_window.h"
#include "dataplane/base/protect/secret_memory.h"

namespace castgate {

// Why a packet that came for an association is of no use.
enum class EspFault : std::uint8_t {
  NotEsp,          // IKE or a keepalive beside it (RFC 3948)
  Malformed,       // no whole ESP packet, or its padding is none
  OtherSpi,        // of another association
  Replayed,        // was there before, or is older than the window
  Forged,          // its ICV is wrong
  Dummy,           // carries nothing (RFC 4303 2.6)
  InnerMalformed,  // inside is no whole UDP datagram
  OtherSelector    // inside is for others than the association is for (RFC 4301 5.2)
};

// The receiving end of an association (RFC 4303 3.4). Nothing is remembered of a packet before its
// ICV is right.
class EspInbound {
 public:
  // Without a genuine packet for so long the sender may have counted on beyond our guess.
  static constexpr Nanoseconds kLost{100'000'000};
  // Upper halves of the number that are tried beyond the likeliest one.
  static constexpr std::uint32_t kMostTurns = 65'535;

  struct Terms {
    std::uint32_t spi = 0;
    bool extended = true;  // sequence numbers of 64 bits
    unsigned window = 0;   // as ReplayWindow takes it
  };
  EspInbound(const Ciphers& ciphers, const EspMaster& master, const Terms& terms);

  // Decrypts what came, from its SPI on, in place; what it held is wiped where it is not genuine.
  // Of a sender that is not known or was silent each packet is tried under one more upper half of
  // its number, on a copy in `spare`: that costs no packet, and a stream that is N times 2^32
  // numbers old is found after N packets.
  std::expected<EspGcm::Opened, EspFault> open(IMB_MGR* manager, std::span<std::byte> packet,
                                               std::span<std::byte> spare, Instant now) noexcept;

  // Goes on where `old` is, which had the same key.
  void inherit(const EspInbound& old) noexcept;

 private:
  using Opening = std::expected<EspGcm::Opened, EspGcm::Fault>;

  bool is_lost(Instant now) const noexcept {
    return extended_ && (!heard_ || now - last_ >= kLost);
  }
  std::expected<EspGcm::Opened, EspFault> remember(const Opening& opening, std::uint64_t number,
                                                   Instant now) noexcept;

  Secret<EspGcm> esp_;
  std::uint32_t spi_;
  bool extended_;
  bool heard_ = false;
  unsigned window_;
  std::uint32_t tries_ = 0;  // beyond the likeliest number, since one was genuine
  Instant last_;             // of the newest genuine one
  std::vector<std::uint64_t> words_;
  ReplayWindow seen_;
};

// In the UDP port of an association: the four zero bytes before IKE, or the one byte that keeps a
// NAT's place (RFC 3948 2).
bool is_beside_esp(std::span<const std::byte> payload) noexcept;

}  // namespace castgate
