// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "controlplane/node/node_packet.h"
#include "controlplane/node/open_option.h"
#include "dataplane/base/error.h"
#include "dataplane/base/esp/esp_inbound.h"
#include "dataplane/base/esp/esp_inner.h"
#include "dataplane/base/instant.h"
#include "dataplane/base/protect/ciphers.h"
#include "dataplane/base/srtp/srtp_cm.h"
#include "dataplane/base/srtp/srtp_inbound.h"

namespace castgate {

// Opens what one relay sends as SRTP or as ESP in UDP, each packet once; a packet that is not
// genuine changes nothing (SrtpInbound, EspInbound).
class RelayOpener {
 public:
  // Foreign: genuine or not, nothing of the stream's, as keepalives, RTCP and what is of other
  // keys.
  enum class Verdict : std::uint8_t { Genuine, Forged, Replayed, Foreign };

  // Fails where the processor has no AES instructions.
  static Result<std::unique_ptr<RelayOpener>> make(const OpenOption& option);

  // In place: the packet is shorter then, of ESP the payload inside. Where it is not genuine it
  // means nothing any more.
  Verdict open(NodePacket& packet, Instant now) noexcept;

  // Goes on where `old` is, as far as both have the same keys.
  void inherit(const RelayOpener& old) noexcept;

 private:
  RelayOpener(const OpenOption& option, Ciphers ciphers);
  Verdict open_esp(NodePacket& packet, Instant now) noexcept;
  Verdict open_srtp(NodePacket& packet, Instant now) noexcept;

  ProtectSpec sealed_;
  Ciphers ciphers_;
  std::unique_ptr<EspInbound> esp_;
  EspSelector selector_;
  std::unique_ptr<SrtpInbound> srtp_;  // where it is not ESP
  SrtpCmBatch batch_;
  std::unique_ptr<NodePacket> spare_ = std::make_unique<NodePacket>();
};

}  // namespace castgate
