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
#include "dataplane/base/protect/turn_search.h"

namespace castgate {

// Why a packet that came for an association is of no use.
enum class EspFault : std::uint8_t {
  NotEsp,          // IKE or a keepalive beside it (RFC 3948)
  Malformed,       // no whole ESP packet, or its padding is none
  OtherSpi,        // of an association that is not there
  Replayed,        // was there before, or is older than the window
  Forged,          // its ICV is wrong
  Dummy,           // carries nothing (RFC 4303 2.6)
  InnerMalformed,  // inside is no whole UDP datagram
  OtherSelector    // inside is for others than the association is for (RFC 4301 5.2)
};

// The receiving end of associations, by their SPI (RFC 4303 3.4): one for each key of a sender that
// changes them. Nothing is remembered of a packet before its ICV is right.
class EspInbound {
 public:
  // Without a genuine packet for so long the sender may have counted on beyond our guess.
  static constexpr Nanoseconds kLost{100'000'000};

  struct Terms {
    bool extended = true;  // sequence numbers of 64 bits
    unsigned window = 0;   // as ReplayWindow takes it
  };
  explicit EspInbound(const Terms& terms) : terms_(terms) {}

  // An association, of an SPI that is not there yet.
  void add(const Ciphers& ciphers, const EspMaster& master, std::uint32_t spi);

  // Decrypts what came, from its SPI on, in place; what it held is wiped where it is not genuine.
  // Of a sender that is not known or was silent each packet is tried under two more upper halves of
  // its number (TurnSearch), on a copy in `spare`: who forges packets meanwhile cannot make a
  // genuine one fail, and a stream that is N times 2^32 numbers old is found within 3 N + 1
  // packets.
  std::expected<EspGcm::Opened, EspFault> open(IMB_MGR* manager, std::span<std::byte> packet,
                                               std::span<std::byte> spare, Instant now) noexcept;

  // The association of `spi` goes on where that of `old` is, if it has one, with the same key.
  void inherit(const EspInbound& old, std::uint32_t spi) noexcept;

 private:
  using Opening = std::expected<EspGcm::Opened, EspGcm::Fault>;

  struct Association {
    Association(const Ciphers& ciphers, const EspMaster& master, std::uint32_t number,
                const Terms& terms);

    std::uint32_t spi;
    Secret<EspGcm> esp;
    bool heard = false;
    TurnSearch search;  // since one was genuine
    Instant last;       // of the newest genuine one
    std::vector<std::uint64_t> words;
    ReplayWindow seen;
  };

  // What failed, or was not worth it.
  struct Attempt {
    Association* from;
    std::uint64_t number;
    EspFault why;
  };

  const Association* find(std::uint32_t spi) const noexcept;
  Association* known(std::uint32_t spi) noexcept;
  bool is_lost(const Association& from, Instant now) const noexcept {
    return terms_.extended && (!from.heard || now - from.last >= kLost);
  }
  std::expected<EspGcm::Opened, EspFault> search(IMB_MGR* manager, std::span<std::byte> packet,
                                                 std::span<const std::byte> copy, Attempt attempt,
                                                 Instant now) noexcept;
  static std::expected<EspGcm::Opened, EspFault> remember(Association& from, const Opening& opening,
                                                          std::uint64_t number,
                                                          Instant now) noexcept;

  Terms terms_;
  std::vector<Association> associations_;
};

// In the UDP port of an association: the four zero bytes before IKE, or the one byte that keeps a
// NAT's place (RFC 3948 2).
bool is_beside_esp(std::span<const std::byte> payload) noexcept;

}  // namespace castgate
