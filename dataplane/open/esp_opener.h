// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include <rte_mbuf.h>

#include "dataplane/base/esp/esp_inbound.h"
#include "dataplane/base/esp/esp_inner.h"
#include "dataplane/contract/spec.h"
#include "dataplane/stage.h"

namespace castgate {

// Opens a leg's ESP; what was inside then stands in the buffer as if it had come in the clear,
// behind the Ethernet header and, in transport mode, the IP header that it came with.
class EspOpener {
 public:
  // Of a spec of ESP that has its keys.
  EspOpener(const Ciphers& ciphers, const OpenSpec& spec);

  // Expects the tag that classify gives. Writes it anew, or tells why the packet is to be dropped.
  std::optional<DropReason> open(IMB_MGR* manager, rte_mbuf* packet, std::span<std::byte> spare,
                                 Instant now) noexcept;

  // The association of `spi` goes on where that of `old` is, which had the same key.
  void inherit(const EspOpener& old, std::uint32_t spi) noexcept { esp_.inherit(old.esp_, spi); }

 private:
  EspInbound esp_;
  EspSelector selector_;
  bool in_udp_;
};

}  // namespace castgate
