// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "controlplane/node/node_packet.h"
#include "controlplane/node/open_option.h"
#include "dataplane/base/error.h"
#include "dataplane/base/esp/esp_inbound.h"
#include "dataplane/base/esp/esp_inner.h"
#include "dataplane/base/instant.h"
#include "dataplane/base/protect/ciphers.h"
#include "dataplane/base/protect/replay_window.h"
#include "dataplane/base/protect/secret_memory.h"
#include "dataplane/base/srtp/srtp_cm.h"
#include "dataplane/base/srtp/srtp_gcm.h"

namespace castgate {

// Opens what one relay sends as SRTP or as ESP in UDP, each packet once; a packet that is not
// genuine changes nothing. The first SSRC begins at the roll-over counter that was told, any
// further one at 0. Of one that is not known, or was silent, each packet is tried under one of the
// next counters as well: a stream that is older than was told is found after as many packets as it
// is older.
class RelayOpener {
 public:
  // Foreign: genuine or not, nothing of the stream's, as keepalives and other SPIs are.
  enum class Verdict : std::uint8_t { Genuine, Forged, Replayed, Foreign };

  static constexpr unsigned kSources = 4;           // SSRCs known at a time
  static constexpr Nanoseconds kLost{100'000'000};  // without a genuine packet: count may differ

  // Fails where the processor has no AES instructions.
  static Result<std::unique_ptr<RelayOpener>> make(const OpenOption& option);

  // In place: the packet is shorter then, of ESP the payload inside. Where it is not genuine it
  // means nothing any more.
  Verdict open(NodePacket& packet, Instant now) noexcept;

 private:
  struct Source {
    explicit Source(unsigned window)
        : words(ReplayWindow::words_for(window)), seen(words, window) {}
    bool is_free() const noexcept { return seen.next() == 0; }

    std::uint32_t ssrc = 0;
    Instant last;
    std::vector<std::uint64_t> words;
    ReplayWindow seen;
  };

  RelayOpener(const OpenOption& option, Ciphers ciphers);
  Verdict open_esp(NodePacket& packet, Instant now) noexcept;
  Source* find(std::uint32_t ssrc) noexcept;
  Source& place_for(std::uint32_t ssrc) noexcept;
  Verdict judge(const Source* source, const SrtpPacket& packet) noexcept;
  bool is_genuine(const SrtpPacket& packet) noexcept;

  Ciphers ciphers_;
  std::unique_ptr<EspInbound> esp_;
  EspSelector selector_;
  Secret<SrtpGcm> gcm_;  // where it is not ESP, one of both is there
  Secret<SrtpCm> cm_;
  std::unique_ptr<SrtpCmBatch> batch_;
  std::size_t tag_ = 0;  // bytes
  unsigned replay_window_;
  std::uint32_t roll_over_;  // of the next SSRC that is not known
  unsigned tries_ = 0;       // beyond the likeliest roll-over counter, since one was genuine
  std::unique_ptr<NodePacket> spare_ = std::make_unique<NodePacket>();
  std::vector<Source> sources_;
};

}  // namespace castgate
